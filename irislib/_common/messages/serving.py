"""Texts for those who run a server: refusals at its start, and lines of its log."""

__all__ = ["CHECKUP", "REFUSED", "TEXTS"]

TEXTS = {
    "starting": "Starting at {address}",
    "model_failed": "reference {reference}: {title} could not be trained, and its page says so.",
    "ready": "{titles} is ready: {address}",
    "ready_all": "{titles} are ready: {address}",
    "ready_many": "{count} apps are ready: {address}",
    "file_not_allowed": "{path} is not served: no pattern of VoilaConfiguration.file_allowlist matches it.",
    "bad_pattern": "VoilaConfiguration.{option} has {pattern!r}, which is no regular expression: {error}.",
    "callback_printed": "{page} printed: {text}",
    "callback_failed": "{page}: a callback failed:\n    {text}",
    "callback_cut": "{page} prints more than is logged.",
    "no_origin": "--frame-ancestors takes origins, separated by commas, such as https://intranet.example.org or "
    "https://*.example.org:8443: http or https, a host, and a port if it is another than usual, got {value!r}.",
    "no_cors_origin": "--cors takes origins, separated by commas, such as https://lab.example.org or "
    "https://*.example.org for all names below one, or * for all, got {value!r}.",
    "rate_limit_storage": "IRISLIB_RATE_LIMIT_STORAGE cannot be used: {reason}",
    "two_policies": "--frame-ancestors has no effect beside the Content-Security-Policy in Voila.tornado_settings: "
    "leave the latter out, or write the origins there.",
    "no_hub": "--hub-login is for a service of a JupyterHub, and {names} is not set: see docs/jupyterhub.md.",
    "no_hub_library": "--hub-login needs the library of JupyterHub, of the Hub's version: pip install "
    "'irislib[jupyterhub]'.",
    "hub_address": "JUPYTERHUB_SERVICE_URL must be an address such as http://127.0.0.1:5000, got {address!r}: with "
    "TLS between the Hub's proxy and this server --hub-login does not work.",
    "hub_and_token": "--hub-login and a token exclude each other: programs send a token of the Hub.",
    "hub_path": "The Hub sends this service what is below {prefix}, but --base_url is {path}.",
    "option_ignored": "{option} has no effect on `irislib serve`. {advice}",
}

# Options of Voila, and sections of them, that are refused, and what to use instead.
REFUSED = {
    "Voila.notebook_path": "Use --notebooks.",
    "Voila.root_dir": "Use --notebooks.",
    "Voila.static_root": "Put such files into the folder `static` of a template.",
    "Voila.static_paths": "Put such files into the folder `static` of a template.",
    "Voila.template_paths": "Name a template with --template, in a folder `voila/templates` of JUPYTER_PATH.",
    "Voila.port_retries": "It listens on --port, or says why it cannot.",
    "Voila.custom_display_url": "Use --public-host for the name that visitors type.",
    "VoilaConfiguration.classic_tree": "The list of apps is irislib's own.",
    "VoilaConfiguration.file_whitelist": "Use VoilaConfiguration.file_allowlist.",
    "VoilaConfiguration.file_blacklist": "Use VoilaConfiguration.file_denylist.",
    "VoilaConfiguration.extension_language_mapping": "It serves notebooks (*.ipynb) alone.",
    "VoilaConfiguration.attempt_fix_notebook": "A kernel for each notebook is chosen in any case.",
    "VoilaConfiguration.multi_kernel_manager_class": "The limits of kernels are options of AppKernelManager.",
    "GatewayClient": "Its kernels run on this machine, where it limits and ends them. For more machines start it on "
    "each, or give a notebook a kernel that starts elsewhere (docs/deploy.md).",
}

# What `irislib check` says of a notebook.
CHECKUP = {
    "address": "{path} can be served, at /{name}",
    "taken": ", for another page has the address /{name}",
    "kernel": ", with the kernel {chosen}: there is no {kernel} here",
}
