"""Warm kernels: each is forked from a template that has imported, loaded and drawn everything already.

``provisioner`` is what jupyter_client calls, ``fork_server`` the server's side of a template,
``template`` that process, ``kernel`` what is forked from it, ``running`` a notebook that is run
there before any visitor comes.
"""
