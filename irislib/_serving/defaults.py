"""The options and addresses of Voila and jupyter_server that ``irislib serve`` uses."""

from __future__ import annotations

from typing import Any

from irislib._serving.notebook_files import ALLOWED

__all__ = ["DEFAULTS", "VOILA_PATHS"]

# Voila's addresses that a page needs and that irislib has no handlers for; its notebook tree, renderer, contents
# and files are left out.
VOILA_PATHS = ("/voila/static", "/voila/api/themes", "/voila/api/shutdown", "/voila/query", "/voila/execution")

# Overridden by the command line and by a voila.json.
DEFAULTS: dict[str, dict[str, Any]] = {
    "Voila": {
        "identity_provider_class": "irislib._serving.identity.TokenIdentityProvider",
        "kernel_websocket_connection_class": "irislib._serving.kernel_websocket.VisitorConnection",
    },
    "IdentityProvider": {"cookie_options": {"samesite": "Lax"}},
    "VoilaConfiguration": {
        "template": "irislib",
        "allow_template_override": "NO",
        "allow_theme_override": "NO",
        "file_allowlist": ALLOWED,
        # Extensions that a page of widgets does not need; those of other widget libraries are still loaded.
        "extension_denylist": ["@jupyter-notebook/lab-extension", "jupyterlab_pygments"],
        "kernel_spec_manager_class": "irislib._serving.kernel_spec.AppKernelSpecManager",
        "multi_kernel_manager_class": "irislib._serving.kernel_manager.AppKernelManager",
    },
    "VoilaExecutor": {"timeout": 120, "cell_error_instruction": "The server's log says what happened."},
    # A page that is open ends after an hour without activity; one that is closed has ended long before.
    "MappingKernelManager": {"cull_idle_timeout": 3600, "cull_connected": True, "cull_interval": 10},
    "KernelRestarter": {"time_to_dead": 1.0},
}
