"""irislib as a service of a JupyterHub, for the hub's own users, at /services/irislib/.

Copy it to /etc/jupyterhub/irislib_config.py, change what stands in capitals, and end your jupyterhub_config.py with
load_subconfig("/etc/jupyterhub/irislib_config.py"), by its full path: one that is not found is left out silently.
`irislib` and `jupyterhub` have to be installed in one environment.
"""

c = get_config()  # noqa: F821 - by JupyterHub, which runs this file

FOLDER = "/srv/irislib"  # exists, and belongs to the user below
ACCOUNT = ""  # the user of the system as whom irislib runs; if empty, as the hub itself, which may be root
USERS = {"users": []}  # who may use the apps, such as {"users": ["ada", "bob"]} or {"groups": ["students"]}, or both
OPERATORS = {"users": []}  # who, besides, may refresh the models and choose their versions
API_TOKEN_FILE = ""  # with the token of programs for which `irislib api` runs, too, at /services/irislib-api/

ACCESS = "access:services!service=irislib"
OPERATE = "custom:irislib:operate"
c.JupyterHub.services.extend(
    [
        {
            "name": "irislib",
            "url": "http://127.0.0.1:5000",  # where it listens, behind the hub's proxy
            "command": ["irislib", "serve", "--hub-login"],  # for apps of your own: --model, --notebooks
            "cwd": FOLDER,
            "user": ACCOUNT,
            "environment": {"HOME": FOLDER, "IRISLIB_STORE": f"{FOLDER}/models"},
            "oauth_no_confirm": True,  # the hub does not ask each user whether irislib may know their name
            "oauth_client_allowed_scopes": [OPERATE],
        },
    ]
)
if API_TOKEN_FILE:
    c.JupyterHub.services.append(
        {
            "name": "irislib-api",
            "url": "http://127.0.0.1:5001",
            "command": ["irislib", "api", "--port=5001", "--proxies=1", f"--token-file={API_TOKEN_FILE}"],
            "cwd": FOLDER,
            "user": ACCOUNT,
            "environment": {
                "HOME": FOLDER,
                "IRISLIB_STORE": f"{FOLDER}/models",
                "SCRIPT_NAME": "/services/irislib-api",  # the path, which the hub's proxy leaves in
            },
            "display": False,  # it has no page
        }
    )
c.JupyterHub.custom_scopes.update({OPERATE: {"description": "Refresh irislib's models, and choose their versions."}})
c.JupyterHub.load_roles.extend(
    [
        {"name": "irislib-user", "scopes": [ACCESS], **USERS},
        {"name": "irislib-operator", "scopes": [ACCESS, OPERATE], **OPERATORS},
    ]
)
