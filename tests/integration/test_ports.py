"""Services on one machine keep to ports of their own: none answers the requests of another."""

from __future__ import annotations

import socket
import subprocess
import sys

import pytest

from ditto.errors import ConfigurationError, Unavailable
from ditto.runtime.open_ports import open_ports
from ditto.runtime.ports import held_port, own_ports, usable_port
from ditto.settings import from_args


def test_two_services_have_no_port_in_common_and_a_third_gets_those_of_one_that_has_ended():
    with own_ports() as first:
        with own_ports() as second:
            assert not set(first) & set(second)
        with own_ports() as third:
            assert not set(first) & set(third)
            assert third == second


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a port cannot be kept for another process")
def test_a_port_that_is_kept_is_listened_on_by_who_asks_for_it_and_given_to_nobody_else():
    with held_port("127.0.0.1", 0) as port:
        with socket.socket() as other, pytest.raises(OSError, match="in use"):
            other.bind(("127.0.0.1", port))
        with socket.socket() as server:
            server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            server.bind(("127.0.0.1", port))
            server.listen()
            with socket.create_connection(("127.0.0.1", port), timeout=5) as client, server.accept()[0] as accepted:
                client.sendall(b"?")
                assert accepted.recv(1) == b"?"
            with pytest.raises(ConfigurationError, match="in use"), held_port("127.0.0.1", port):
                pass
    with held_port("127.0.0.1", port) as again:
        assert again == port == usable_port("127.0.0.1", port)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a port cannot be kept for another process")
def test_a_port_that_another_ingress_would_share_is_refused_all_the_same():
    with socket.socket() as ingress:
        for option in (socket.SO_REUSEADDR, socket.SO_REUSEPORT):  # as HAProxy does
            ingress.setsockopt(socket.SOL_SOCKET, option, 1)
        ingress.bind(("127.0.0.1", 0))
        ingress.listen()
        port = ingress.getsockname()[1]
        with pytest.raises(ConfigurationError, match="in use"), held_port("127.0.0.1", port):
            pass


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a port cannot be kept for another process")
def test_of_two_services_that_begin_on_one_port_the_second_is_refused():
    with (
        held_port("127.0.0.1", 0) as port,
        pytest.raises(ConfigurationError, match="another service begins there"),
        held_port("127.0.0.1", port),
    ):
        pass
    with held_port("127.0.0.1", port) as again:
        assert again == port


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of Serve's own
def test_a_service_whose_port_was_taken_while_it_came_up_says_so(monkeypatch):
    from ditto import serve

    def fail(**options):
        raise RuntimeError("HAProxy crashed during startup")

    monkeypatch.setattr(serve.serve, "start", fail)
    with socket.socket() as thief, held_port("127.0.0.1", 0) as port:
        with pytest.raises(Unavailable, match="HAProxy crashed"):
            serve._begin("127.0.0.1", port)
        thief.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        thief.bind(("127.0.0.1", port))
        thief.listen()
        with pytest.raises(ConfigurationError, match=f"{port} cannot be used: Address already in use"):
            serve._begin("127.0.0.1", port)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of Serve's own
def test_an_application_that_does_not_come_up_behind_its_own_ingress_is_not_called_a_port_that_is_taken(monkeypatch):
    from ditto import serve

    with socket.socket() as ingress:

        def listen(http_options):
            ingress.bind((http_options.host, http_options.port))
            ingress.listen()

        def fail(*arguments, **options):
            raise RuntimeError("the true cause")

        monkeypatch.setattr(serve.serve, "start", listen)
        monkeypatch.setattr(serve.serve, "run_many", fail)
        serve._begin("127.0.0.1", usable_port("127.0.0.1", 0))
        with pytest.raises(Unavailable, match="the true cause"):
            serve._deploy(from_args({}, source="x"))


def test_an_application_that_somebody_takes_away_while_it_comes_up_is_not_waited_for(monkeypatch):
    from ray.serve.schema import ServeStatus

    from ditto import serve

    monkeypatch.setattr(serve.serve, "run_many", lambda *targets, **options: None)
    monkeypatch.setattr(serve.serve, "status", lambda: ServeStatus(applications={}))
    with pytest.raises(Unavailable, match="taken the application away"):
        serve._deploy(from_args({}, source="x"))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells")
def test_the_ports_of_this_process_and_of_its_children_are_told_with_their_addresses() -> None:
    listens = (
        "import socket, sys; s = socket.create_server(('0.0.0.0', 0)); print(s.getsockname()[1], flush=True); input()"
    )
    with (
        socket.create_server(("127.0.0.1", 0)) as own,
        subprocess.Popen([sys.executable, "-c", listens], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child,
    ):
        assert child.stdout is not None
        of_child = int(child.stdout.readline())
        found = {port.port: (port.address, port.is_local) for port in open_ports()}
        of_own = own.getsockname()[1]
        child.communicate(b"\n")

    assert found[of_own] == ("127.0.0.1", True)
    assert found[of_child] == ("0.0.0.0", False)
