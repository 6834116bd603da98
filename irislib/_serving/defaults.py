"""The options and addresses of Voila and jupyter_server that ``irislib serve`` uses."""

from __future__ import annotations

from typing import Any

__all__ = ["DEFAULTS", "VOILA_PATHS"]

# Voila's addresses that a page needs; its notebook tree, renderer, contents and files are left out.
VOILA_PATHS = ("/api/kernels", "/voila/static", "/voila/api/themes", "/voila/api/shutdown",
          "/voila/labextensions", "/voila/query", "/voila/execution")  # fmt: skip

# Weaker than what an operator gives on the command line or in a voila.json.
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
        # What a page of widgets has no use for; another widget library's extension is still loaded.
        "extension_denylist": ["@jupyter-notebook/lab-extension", "jupyterlab_pygments"],
        "kernel_spec_manager_class": "irislib._serving.kernel_spec.AppKernelSpecManager",
        "multi_kernel_manager_class": "irislib._serving.kernel_manager.AppKernelManager",
    },
    "VoilaExecutor": {"timeout": 120, "cell_error_instruction": "The server's log says what happened."},
    # An hour without a word ends a page that is open, too; one that is closed has ended long before.
    "MappingKernelManager": {"cull_idle_timeout": 3600, "cull_connected": True, "cull_interval": 10},
    "KernelRestarter": {"time_to_dead": 1.0},
}
