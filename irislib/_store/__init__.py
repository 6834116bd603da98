"""The files of a store and its logs, whatever the files hold."""
