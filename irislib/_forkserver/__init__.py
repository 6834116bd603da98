"""Warm kernels: forked from a template process that has imported, loaded and drawn everything already.

``provisioner`` is the kernel provisioner of jupyter_client, ``client`` the server's handle of the
template processes, ``early`` starts the first of them, as a fork of the server where it can (``own_fork``),
``server`` runs in a template process, ``kernel`` in the processes forked from it,
``notebook`` runs the notebook of a page before the first visitor, ``notebook_source`` says whether it may,
``rehearsal`` does once what all of them do first, ``child`` calls a function in a process that ends with it,
``process`` is the handle of a forked process, ``messages`` the protocol between them.
"""
