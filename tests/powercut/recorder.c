/* Records what a process does to the files below POWERCUT_ROOT, in the order in which the disk sees it.

   Loaded with LD_PRELOAD. Each call runs under one lock of all recorded processes and is appended to POWERCUT_LOG as

     kind (1 byte), inode (8), number (8), length of name (4), length of data (4), name, data

   c  a file was created   number: its folder's inode     w  bytes were written     number: the offset
   d  a folder was made    number: its folder's inode     t  a file was cut or grew number: its new size
   u  a name was removed   number: its folder's inode     s  fsync or fdatasync returned
   x  something that a replay would not understand; the name says what

   A shared writable mapping is such a thing, except SQLite's -shm, which it builds anew after a restart. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define FDS 65536

static char watched[FDS];
static const char *root;
static size_t root_length;
static int log_fd = -1;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static ssize_t (*real_write)(int, const void *, size_t);

#define REAL(name) ((__typeof__(&name))real(#name))

static void *real(const char *name) {
    void *found = dlsym(RTLD_NEXT, name);
    if (found == NULL) abort();
    return found;
}

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("POWERCUT_LOG");
    root = getenv("POWERCUT_ROOT");
    real_write = REAL(write);
    if (root == NULL || path == NULL) return;
    root_length = strlen(root);
    log_fd = REAL(open)(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (log_fd < 0) abort();
}

static void lock(void) {
    pthread_mutex_lock(&mutex);
    while (flock(log_fd, LOCK_EX) != 0)
        if (errno != EINTR) abort();
}

static void unlock(void) {
    int kept = errno;
    flock(log_fd, LOCK_UN);
    pthread_mutex_unlock(&mutex);
    errno = kept;
}

static int below(const char *path) {
    return log_fd >= 0 && strncmp(path, root, root_length) == 0 && (path[root_length] == '/' || path[root_length] == 0);
}

static int is_watched(int fd) { return log_fd >= 0 && fd >= 0 && fd < FDS && watched[fd]; }

static void put(char kind, uint64_t inode, uint64_t number, const char *name, const void *data, size_t size) {
    int kept = errno;
    uint32_t name_length = name == NULL ? 0 : strlen(name), length = size;
    char head[25];
    head[0] = kind;
    memcpy(head + 1, &inode, 8);
    memcpy(head + 9, &number, 8);
    memcpy(head + 17, &name_length, 4);
    memcpy(head + 21, &length, 4);
    char *record = malloc(sizeof head + name_length + size);
    if (record == NULL) abort();
    memcpy(record, head, sizeof head);
    if (name_length) memcpy(record + sizeof head, name, name_length);
    if (size) memcpy(record + sizeof head + name_length, data, size);
    size_t whole = sizeof head + name_length + size;
    if (real_write(log_fd, record, whole) != (ssize_t)whole) abort();
    free(record);
    errno = kept;
}

static uint64_t inode_of(int fd) {
    struct stat found;
    if (fstat(fd, &found) != 0) abort();
    return found.st_ino;
}

static uint64_t folder_of(const char *path, const char **name) {
    char folder[4096];
    struct stat found;
    const char *slash = strrchr(path, '/');
    if (slash == NULL || (size_t)(slash - path) >= sizeof folder) abort();
    memcpy(folder, path, slash - path);
    folder[slash - path] = 0;
    *name = slash + 1;
    if (stat(folder, &found) != 0) abort();
    return found.st_ino;
}

static void unknown(const char *what) {
    lock();
    put('x', 0, 0, what, NULL, 0);
    unlock();
}

static int opened(int (*call)(const char *, int, ...), const char *path, int flags, mode_t mode) {
    if (!below(path)) return call(path, flags, mode);
    struct stat before;
    lock();
    int was_there = lstat(path, &before) == 0;
    int fd = call(path, flags, mode);
    if (fd >= 0) {
        const char *name;
        if (fd >= FDS) abort();
        watched[fd] = 1;
        if (!was_there) {
            uint64_t folder = folder_of(path, &name);
            put('c', inode_of(fd), folder, name, NULL, 0);
        } else if (flags & O_TRUNC) {
            put('t', inode_of(fd), 0, NULL, NULL, 0);
        }
    }
    unlock();
    return fd;
}

#define OPEN(name)                                                                                                     \
    int name(const char *path, int flags, ...) {                                                                       \
        va_list arguments;                                                                                             \
        va_start(arguments, flags);                                                                                    \
        mode_t mode = (flags & (O_CREAT | O_TMPFILE)) ? va_arg(arguments, mode_t) : 0;                                 \
        va_end(arguments);                                                                                             \
        return opened(REAL(name), path, flags, mode);                                                                  \
    }
OPEN(open)
OPEN(open64)

#define OPENAT(name)                                                                                                   \
    int name(int folder, const char *path, int flags, ...) {                                                           \
        va_list arguments;                                                                                             \
        va_start(arguments, flags);                                                                                    \
        mode_t mode = (flags & (O_CREAT | O_TMPFILE)) ? va_arg(arguments, mode_t) : 0;                                 \
        va_end(arguments);                                                                                             \
        if (below(path) || is_watched(folder)) unknown(#name);                                                         \
        return REAL(name)(folder, path, flags, mode);                                                                  \
    }
OPENAT(openat)
OPENAT(openat64)

int close(int fd) {
    if (fd == log_fd && log_fd >= 0) return 0; /* some programs close all they do not know */
    if (fd >= 0 && fd < FDS) watched[fd] = 0;
    return REAL(close)(fd);
}

ssize_t write(int fd, const void *data, size_t size) {
    if (!is_watched(fd)) return real_write(fd, data, size);
    lock();
    ssize_t written = real_write(fd, data, size);
    if (written > 0) put('w', inode_of(fd), lseek(fd, 0, SEEK_CUR) - written, NULL, data, written);
    unlock();
    return written;
}

#define PWRITE(name, offset_type)                                                                                      \
    ssize_t name(int fd, const void *data, size_t size, offset_type offset) {                                          \
        if (!is_watched(fd)) return REAL(name)(fd, data, size, offset);                                                \
        lock();                                                                                                        \
        ssize_t written = REAL(name)(fd, data, size, offset);                                                          \
        if (written > 0) put('w', inode_of(fd), offset, NULL, data, written);                                          \
        unlock();                                                                                                      \
        return written;                                                                                                \
    }
PWRITE(pwrite, off_t)
PWRITE(pwrite64, off64_t)

#define FTRUNCATE(name, size_type)                                                                                     \
    int name(int fd, size_type size) {                                                                                 \
        if (!is_watched(fd)) return REAL(name)(fd, size);                                                              \
        lock();                                                                                                        \
        int result = REAL(name)(fd, size);                                                                             \
        if (result == 0) put('t', inode_of(fd), size, NULL, NULL, 0);                                                  \
        unlock();                                                                                                      \
        return result;                                                                                                 \
    }
FTRUNCATE(ftruncate, off_t)
FTRUNCATE(ftruncate64, off64_t)

#define SYNC(name)                                                                                                     \
    int name(int fd) {                                                                                                 \
        if (!is_watched(fd)) return REAL(name)(fd);                                                                    \
        lock();                                                                                                        \
        int result = REAL(name)(fd);                                                                                   \
        if (result == 0) put('s', inode_of(fd), 0, NULL, NULL, 0);                                                     \
        unlock();                                                                                                      \
        return result;                                                                                                 \
    }
SYNC(fsync)
SYNC(fdatasync)

int mkdir(const char *path, mode_t mode) {
    if (!below(path)) return REAL(mkdir)(path, mode);
    lock();
    int result = REAL(mkdir)(path, mode);
    if (result == 0) {
        const char *name;
        struct stat made;
        uint64_t folder = folder_of(path, &name);
        if (stat(path, &made) != 0) abort();
        put('d', made.st_ino, folder, name, NULL, 0);
    }
    unlock();
    return result;
}

int unlink(const char *path) {
    if (!below(path)) return REAL(unlink)(path);
    lock();
    int result = REAL(unlink)(path);
    if (result == 0) {
        const char *name;
        uint64_t folder = folder_of(path, &name);
        put('u', 0, folder, name, NULL, 0);
    }
    unlock();
    return result;
}

static void mapped(int fd, int protection, int flags) {
    char link[64], path[4096];
    if (!is_watched(fd) || !(flags & MAP_SHARED) || !(protection & PROT_WRITE)) return;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path);
    if (length < 4 || memcmp(path + length - 4, "-shm", 4) != 0) unknown("mmap");
}

#define MMAP(name, offset_type)                                                                                        \
    void *name(void *where, size_t size, int protection, int flags, int fd, offset_type offset) {                      \
        mapped(fd, protection, flags);                                                                                 \
        return REAL(name)(where, size, protection, flags, fd, offset);                                                 \
    }
MMAP(mmap, off_t)
MMAP(mmap64, off64_t)

/* None of these is used by SQLite as it is built today; a replay without them would prove nothing, so they are named. */
int rename(const char *from, const char *to) {
    if (below(from) || below(to)) unknown("rename");
    return REAL(rename)(from, to);
}
int rmdir(const char *path) {
    if (below(path)) unknown("rmdir");
    return REAL(rmdir)(path);
}
int link(const char *from, const char *to) {
    if (below(to)) unknown("link");
    return REAL(link)(from, to);
}
int dup(int fd) {
    if (is_watched(fd)) unknown("dup");
    return REAL(dup)(fd);
}
int fallocate(int fd, int mode, off_t offset, off_t size) {
    if (is_watched(fd)) unknown("fallocate");
    return REAL(fallocate)(fd, mode, offset, size);
}
int posix_fallocate(int fd, off_t offset, off_t size) {
    if (is_watched(fd)) unknown("posix_fallocate");
    return REAL(posix_fallocate)(fd, offset, size);
}
ssize_t writev(int fd, const struct iovec *parts, int count) {
    if (is_watched(fd)) unknown("writev");
    return REAL(writev)(fd, parts, count);
}
ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t offset) {
    if (is_watched(fd)) unknown("pwritev");
    return REAL(pwritev)(fd, parts, count, offset);
}
