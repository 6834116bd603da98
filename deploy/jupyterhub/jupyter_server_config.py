"""irislib within each user's Jupyter server, by jupyter-server-proxy: at .../user/NAME/irislib/, and in the launcher.

Copy it to a folder of `jupyter --paths`, such as /etc/jupyter, in the image or environment of the users.
"""

import secrets

c = get_config()  # noqa: F821 - by Jupyter, which runs this file
token = secrets.token_hex(16)  # others on the machine reach the port, but do not know it

c.ServerProxy.servers = {
    "irislib": {
        # started when it is first opened; add --model and --notebooks for apps of your own
        "command": [
            "irislib",
            "serve",
            "--ip=127.0.0.1",
            "--port={port}",
            "--base_url={base_url}irislib/",
            "--IdentityProvider.cookie_name=irislib-{port}",  # not the name of the cookie of the user's server
        ],
        "environment": {"IRISLIB_TOKEN": token},
        "request_headers_override": {"Authorization": f"token {token}"},
        "absolute_url": True,  # the path is left as it is, so that redirects need not be changed on their way back
        "timeout": 600,  # the first start may train
        "launcher_entry": {"title": "irislib"},
    }
}
