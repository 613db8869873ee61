"""KubeRay's schema of a RayService, `ray.io/v1` as of its version 1.7, as far as Ditto's manifest uses it.

Written down from the types of KubeRay's API (`RayServiceSpec`, `RayClusterSpec` and what they name) and of Kubernetes'
core/v1. Every object is closed, so that a field which those types do not have, or have elsewhere, is an error.
"""

from __future__ import annotations

from typing import Any

_TEXT = {"type": "string"}
_COUNT = {"type": "integer", "minimum": 0}
_TEXTS = {"type": "object", "additionalProperties": _TEXT}
_QUANTITY = {"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)?(m|k|Ki|M|Mi|G|Gi|T|Ti)?$"}
_NAME = {"type": "string", "pattern": r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", "maxLength": 63}


def _closed(required: tuple[str, ...] = (), **properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(required), "additionalProperties": False}


def _list(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


_QUANTITIES = {"type": "object", "additionalProperties": _QUANTITY}
_KEY = _closed(("key",), name=_TEXT, key=_TEXT, optional={"type": "boolean"})
_CONTAINER = _closed(
    ("name", "image"),
    name=_NAME,
    image=_TEXT,
    imagePullPolicy={"enum": ["Always", "IfNotPresent", "Never"]},
    env=_list(_closed(("name",), name=_TEXT, value=_TEXT, valueFrom=_closed(secretKeyRef=_KEY, configMapKeyRef=_KEY))),
    envFrom=_list(_closed(prefix=_TEXT, secretRef=_closed(name=_NAME), configMapRef=_closed(name=_NAME))),
    ports=_list(
        _closed(("containerPort",), containerPort={"type": "integer", "minimum": 1, "maximum": 65535}, name=_NAME)
    ),
    resources=_closed(requests=_QUANTITIES, limits=_QUANTITIES),
    volumeMounts=_list(_closed(("name", "mountPath"), name=_NAME, mountPath=_TEXT, subPath=_TEXT)),
)
_POD = _closed(
    ("spec",),
    metadata=_closed(labels=_TEXTS, annotations=_TEXTS),
    spec=_closed(
        ("containers",),
        terminationGracePeriodSeconds=_COUNT,
        securityContext=_closed(runAsNonRoot={"type": "boolean"}, runAsUser=_COUNT, fsGroup=_COUNT),
        containers={**_list(_CONTAINER), "minItems": 1},
        volumes=_list({"type": "object", "required": ["name"]}),
    ),
)
_RAY_CLUSTER = _closed(
    ("headGroupSpec",),
    rayVersion=_TEXT,
    enableInTreeAutoscaling={"type": "boolean"},
    suspend={"type": "boolean"},
    authOptions=_closed(mode={"enum": ["disabled", "token"]}, secretName=_TEXT),
    gcsFaultToleranceOptions=_closed(
        backend={"enum": ["redis", "rocksdb"]},
        redisAddress=_TEXT,
        externalStorageNamespace=_TEXT,
        storage=_closed(
            claimName=_TEXT,
            size=_QUANTITY,
            storageClassName=_TEXT,
            accessModes=_list(_TEXT),
            subPath=_TEXT,
            deletionPolicy={"enum": ["DeleteWithCluster", "Retain"]},
        ),
    ),
    headGroupSpec=_closed(
        ("template",),
        serviceType={"enum": ["ClusterIP", "NodePort", "LoadBalancer"]},
        enableIngress={"type": "boolean"},
        rayStartParams=_TEXTS,
        template=_POD,
    ),
    workerGroupSpecs=_list(
        _closed(
            ("groupName", "template"),
            groupName=_NAME,
            replicas=_COUNT,
            minReplicas=_COUNT,
            maxReplicas=_COUNT,
            numOfHosts=_COUNT,
            idleTimeoutSeconds=_COUNT,
            suspend={"type": "boolean"},
            rayStartParams=_TEXTS,
            template=_POD,
        )
    ),
)
RAY_SERVICE = _closed(
    ("apiVersion", "kind", "metadata", "spec"),
    apiVersion={"const": "ray.io/v1"},
    kind={"const": "RayService"},
    metadata=_closed(("name",), name=_NAME, namespace=_NAME, labels=_TEXTS, annotations=_TEXTS),
    spec=_closed(
        ("serveConfigV2", "rayClusterConfig"),
        serveConfigV2=_TEXT,
        rayClusterConfig=_RAY_CLUSTER,
        rayClusterDeletionDelaySeconds=_COUNT,
        excludeHeadPodFromServeSvc={"type": "boolean"},
        suspend={"type": "boolean"},
    ),
)
