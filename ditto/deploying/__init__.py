"""The files with which Ditto is put on other machines: a systemd unit, a Ray cluster, Kubernetes with KubeRay."""

from __future__ import annotations

from ditto.deploying.files import cluster_file, kubernetes_files, systemd_file

__all__ = ["cluster_file", "kubernetes_files", "systemd_file"]
