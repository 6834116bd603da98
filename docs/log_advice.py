"""What to do about a line of the log, by how the line begins; … stands for what is filled in."""

# ruff: noqa: E501 - a row of a table is easier to read in one line

__all__ = ["ADVICE"]

OTHER_WAY = "Pages work, and open more slowly. If it comes again and again, look at free memory, processes and files."

ADVICE = {
    "A request could not be counted": "The answer was sent; `/metrics` lacks it. Report it with the traceback.",
    "Entries of the prediction log could not": "The entries are written; `/metrics` lacks them. Report it.",
    "Error: …": "Gunicorn could not start; the reason is in the line. [Not starting](#not-starting).",
    "Entries of the prediction log in": "Make room in that folder, or let the server's user write it. [Full](#full).",
    "Pages are no longer prepared": "Restart the server. Report it with the traceback.",
    "The Hub at": "Nobody can log in, and programs get 503: see that JupyterHub runs, and is reached at this address.",
    "The candidate has no thread": "No thread could be started: raise the limit of processes (`TasksMax`, `ulimit -u`).",
    "Predictions of … are not in the prediction log": "The page has answered. Make room in the log's folder, or let the server's "
    "user write it. [Full](#full).",
    "The feedback about … is not stored": "Its visitor was told so. Make room in the folder of the feedback, or let the server's "
    "user write it.",
    "The prediction log has no thread": "No thread could be started: raise the limit of processes (`TasksMax`, "
    "`ulimit -u`).",
    "The estimator of … refuses": "Its description allows values that it cannot take: give the feature limits, or "
    "choices.",
    "The candidate of": "The traceback names why. `irislib candidate --stop` withdraws it.",
    "The options stay as they were": "The line before says what is wrong with them. Mend it, and send `SIGHUP` again.",
    "The prediction log cannot be uploaded": "See that the URL can be reached and written with the server's keys. "
    "[Lost](#lost).",
    "The process that looks at the store has failed": "The server goes on with the version it has. Report the traceback.",
    "The process that looks at the store has ended": "Usually for want of memory; another one is started.",
    "The response to": "The traceback names why. What the client got is not whole.",
    "What became of it cannot be written": "Make room in the store's folder; the refresh itself is over.",
    "reference …: a part of the card": "The traceback names which; the card is served without the part.",
    "reference …: the page": "The notebook failed; the traceback is above it. `irislib check --notebooks`.",
    "reference …: … could not be trained": "The advice below the line. [Not starting](#not-starting).",
    "reference …:": "A visitor or program has seen this reference. The traceback below it names the cause.",
    "… could not be made": "In that language the page is made for each visitor. The traceback names why.",
    "… could not be rendered": "The notebook or a template failed; the traceback names where.",
    "… is not stored:": "The prediction log has no room, or cannot be written: the client got 507 or 503. [Full](#full).",
    "… is run for each visitor, for it could not": "The page works, and opens more slowly. The traceback names why.",
    "… is run for each visitor:": "The page works, and opens more slowly; the reason is in the line.",
    "… is run for this visitor": "The page works, and opens more slowly; the reason is in the line.",
    "… …: the temporary folder is full": "Make room in `$TMPDIR`, or give the server another one. [Full](#full).",
    "…: the store could not be followed": "The server goes on with the version it has. Report the traceback.",
    "503 …": "The server was asked while it could not answer yet. [Not starting](#not-starting).",
    "A kernel of … has failed": "Its page says so. Report it with the traceback.",
    "A template of kernels has ended": "Usually for want of memory. Once is no fault.",
    "The template process of kernels has ended": "Usually for want of memory. Once is no fault.",
    "Anyone who can reach this machine": "Set a token, or see that a proxy asks for a login.",
    "Disconnected: the page": "A browser that sleeps or a slow network; the page connects again.",
    "Ignoring from the page of kernel": "A browser's extension, or somebody who tries things. It has no effect.",
    "Kernel … died": "Its page says so. If a traceback is above it, that names why; otherwise "
    "`AppKernelManager.kernel_memory` may be too small: [full](#full).",
    "Kernels are started in the ordinary way": OTHER_WAY,
    "The answer to a batch was broken off": "Raise the limit that the line names, or send smaller batches.",
    "The metrics of this process": "The temporary folder is full or cannot be written: `/metrics` lacks this worker.",
    "The workers' metrics are not added up": "The temporary folder is full or cannot be written.",
    "The notebook … cannot be opened": "`irislib check --notebooks` says more.",
    "The prediction log is uploaded to": "Nothing: it is in order again.",
    "The prediction log is written again": "Nothing: it is in order again.",
    "The stored … cannot be read from": "[Wrong, or unreadable](#unreadable). A new version is trained if it can be.",
    "The stored … … is out of date": "Nothing, if the change was meant.",
    "The version … of … cannot be read": "Publish it again, if it is needed still. [Unreadable](#unreadable).",
    "irislib …: …": "With `--json-logs`: the sentence with which the command ended. [Not starting](#not-starting).",
    "irislib uses … of …": "Install the versions of `constraints.txt`.",
    "… It is served from memory": "The store cannot be written: make room, or let the server's user write it.",
    "… It is trained again at each start": "The store cannot be written, or the estimator cannot be stored.",
    "… Its page stays as it was": "Correct the notebook; the server looks again by itself.",
    "… has … connections": "One client, or a proxy that `--proxies` does not count.",
    "… is left to each kernel": "Pages that import it open more slowly.",
    "… is read without its module": "Serve it with its module, if its tabs are needed.",
    "… printed:": "What a notebook's callback wrote to stderr.",
    "… prints more than is logged": "Let the callback print less.",
    "… stays with the version of the model before": "The notebook fails with the new version; the reason is in the line.",
    "… …, and is left to each kernel": "Pages that import it open more slowly. Import it in a callback, or accept it.",
    "… …: …": "A refreshed version is kept and not served, for the reason in the line. [Refreshing](refresh.md).",
    "…: a callback failed": "An error of the notebook's own code; its visitor has seen one sentence.",
    "…: the store cannot be read": "The server goes on with the version it has. See that the store can be reached.",
    "…: version … (number …) cannot be served here": "The reason is in the line. Publish a version made with these "
    "libraries, or [roll back](store.md#publish-look-go-back).",
}  # fmt: skip
