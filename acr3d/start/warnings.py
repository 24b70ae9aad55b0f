"""What is warned of when a server starts: data that may be lost, and connections that can be overheard."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

from acr3d.settings import Settings
from acr3d.start import ephemeral_folder


def warnings(config: Settings, addresses: Iterable[str]) -> list[str]:
    """Sentences for the log. `addresses`: those that the server listens on."""
    return [
        *ephemeral_folder.warnings(config, ephemeral_folder.mount_table()),
        *_overheard(config, addresses),
    ]


def _overheard(config: Settings, addresses: Iterable[str]) -> list[str]:
    if config.is_https or not any(ipaddress.ip_address(one).is_unspecified for one in addresses):
        return []
    return [
        "ACR3D ANSWERS ON ALL ADDRESSES OF THIS MACHINE, AND ACR3D_PUBLIC_URL IS NO https:// ADDRESS: "
        "passwords and cookies can be read on their way. Put an HTTPS proxy in front and set "
        "ACR3D_PUBLIC_URL to its address, or set ACR3D_BIND=127.0.0.1."
    ]
