"""Pages that were run ahead, and the small script that shows them, in a real browser."""

from __future__ import annotations

import gzip
import json
import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
import requests
from conftest import PATIENCE, ROOT, Server, notebook, open_app, submit_row, wait_until
from invalid_inputs import GOOD
from matplotlib.figure import Figure
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output, new_raw_cell
from playwright.sync_api import expect
from test_accessibility import check
from traitlets.config import Config
from voila.configuration import VoilaConfiguration

from irislib._serving import static_files
from irislib._serving.callback_log import CallbackLog
from irislib._serving.prerender import VIEW, NotebookRun, PrerenderedPage, is_light

WIDGETS = '''
import anywidget, traitlets
from IPython.display import display

class Counter(anywidget.AnyWidget):
    """Features of third-party widgets: state and binary state both ways, messages, commands."""

    _esm = """
    let presses = 0;  // not the other widget's
    const initialize = ({ model }) => model.set("started", true);
    function render({ model, el, experimental }) {
      const button = document.createElement("button");
      const output = document.createElement("output");
      const show = () => (button.textContent = `${model.get("name")} ${model.get("value")}, pressed ${presses}`);
      const print = (text) => (output.textContent = text);
      button.addEventListener("click", () => {
        presses += 1;
        model.set("value", model.get("value") + 1);
        model.set("sent", { deep: [new DataView(new Uint8Array([1, 2, presses]).buffer)] });
        model.save_changes();
      });
      button.addEventListener("contextmenu", async (event) => {
        event.preventDefault();
        const buffers = [new Uint8Array([3, 4]).buffer, new Uint8Array([9, 5, 9]).subarray(1, 2)];
        model.send({ ask: "sum" }, undefined, buffers);
        const [answer, [buffer]] = await experimental.invoke("twice", "ab");
        button.title = `${answer} ${buffer.getUint8(0)}`;
      });
      model.on("change:value", show);
      model.on("change:back", () => print(new TextDecoder().decode(model.get("back").deep)));
      model.on("msg:custom", ({ total }, buffers) => total && print(`${total} of ${buffers[0].getUint8(0)}`));
      show();
      el.append(button, output);
      return () => (window.cleaned = model.get("started"));
    }
    export default () => ({ initialize, render });
    """
    _css = "button { letter-spacing: 3px }"
    name = traitlets.Unicode().tag(sync=True)
    value = traitlets.Int().tag(sync=True)
    started = traitlets.Bool(False).tag(sync=True)
    sent = traitlets.Dict().tag(sync=True)
    back = traitlets.Dict().tag(sync=True)

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.on_msg(lambda _, content, buffers: "ask" in content and self.total(buffers))

    @traitlets.observe("sent")
    def _sent(self, change):
        self.back = {"deep": repr(bytes(change.new["deep"][0])).encode()}
        if self.value > 11:
            self.layout.width = "321px"
            self.add_class("many")

    def total(self, buffers):
        self.send({"total": sum(sum(bytes(buffer)) for buffer in buffers)}, [bytes([len(buffers)])])

    @anywidget.experimental.command
    def twice(self, words, buffers):
        return words * 2, [bytes([7])]

for name in ("one", "two"):
    display(Counter(name=name, value=10, layout={"width": "300px"}))
'''
BREAKING = """
import anywidget, traitlets

class Teller(anywidget.AnyWidget):
    _esm = "export function render({ model, el }) { el.textContent = model.get('words'); }"
    words = traitlets.Unicode("</script><script>window.broken = true</script><!-- <script>&amp; é").tag(sync=True)

Teller()
"""
SLOW = """
import time
from irislib import Feature
from irislib.widgets import Page, Tab

def answer(values):
    time.sleep(1)
    return values["a"]

Page("Slow", [Feature("a", "text")], "Go", answer, [Tab("Out", lambda text: [text + "!"], "Empty.")])
"""
FILES = """
from matplotlib.figure import Figure
from IPython.display import HTML, FileLink, display

Figure(figsize=(1, 1)).savefig("saved.png")
display(HTML('<img src="pictures/a b.png"><img src="saved.png">'), FileLink("data.csv"))
"""
CALLBACKS = """
import ipywidgets, logging

upload, size, button = ipywidgets.FileUpload(), ipywidgets.Label(), ipywidgets.Button(description="go")
output = ipywidgets.Output()

def measure(change):
    size.value = f"{len(upload.value[0]['content']):,} bytes"

def go(_):
    print("printed by", "a callback")
    logging.getLogger("mine").warning("logged")
    with output:
        print("shown on the page")
    raise LookupError("raised by a callback")

upload.observe(measure, "value")
button.on_click(go)
ipywidgets.VBox([upload, size, button, output])
"""
TAGGED = {
    "remove_cell": "print('re' 'moved')",
    "remove_output": "print('hid' 'den'); value = 5",
    "remove_input": "print('input ' 'removed', value)  # sou" + "rce",
    "stamp": "print('us' 'ual')",
}
TAG_OPTIONS = [
    "--TagRemovePreprocessor.remove_cell_tags=remove_cell",
    "--TagRemovePreprocessor.remove_all_outputs_tags=remove_output",
    "--TagRemovePreprocessor.remove_input_tags=remove_input",
    "--VoilaExporter.preprocessors=preprocessors.Stamp",
]
LAB = "import ipywidgets\nbox = ipywidgets.Text(description='In')\nout = ipywidgets.Label()\n"
LAB += "box.observe(lambda change: setattr(out, 'value', change.new.upper()), 'value')\nipywidgets.VBox([box, out])"


PARTS = """
import ipywidgets
from irislib import Feature
from irislib.widgets import Content, Form

sent, content = ipywidgets.Label("nothing"), Content("At first.")
form = Form([Feature("size", low=0, high=10), Feature("secret", kind="password")], action="Send")
content.follow(form, lambda row: [f"{row['size']:g} squared is {row['size'] ** 2:g}."], "Please fill in the form.")
form.on_submit(lambda row: setattr(sent, "value", f"{row['size']:g} and {len(row['secret'])} letters"))
fill = ipywidgets.Button(description="seven")
fill.on_click(lambda _: setattr(form, "value", {"size": 7}))
layout = ipywidgets.Layout(flex_flow="row wrap")
ipywidgets.HBox([ipywidgets.VBox([form, sent, fill]), content], layout=layout)
"""


@pytest.fixture(scope="module")
def ahead(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("ahead")
    for name, cell in {"widgets": WIDGETS, "breaking": BREAKING, "slow": SLOW, "lab": LAB, "parts": PARTS}.items():
        content = notebook(cell)
        content.metadata["irislib"] = {"run": "once"}
        nbformat.write(content, folder / f"{name}.ipynb")
    (folder / "pictures").mkdir()
    Figure(figsize=(1, 1)).savefig(folder / "pictures" / "a b.png")
    (folder / "data.csv").write_text("a,b\n1,2\n")
    for name, run in (("files-once", "once"), ("files-each", "each visit")):
        content = notebook(FILES)
        content.cells.append(new_markdown_cell("![inlined](saved.png) ![linked](pictures/a%20b.png)"))
        content.metadata["irislib"] = {"run": run}
        nbformat.write(content, folder / f"{name}.ipynb")
    for name, run in (("callbacks-once", "once"), ("callbacks-each", "each visit")):
        content = notebook(CALLBACKS)
        content.metadata["irislib"] = {"run": run}
        nbformat.write(content, folder / f"{name}.ipynb")
    for name, run in (("tags-once", "once"), ("tags-each", "each visit")):
        content = notebook(*TAGGED.values())
        for cell, tag in zip(content.cells, TAGGED, strict=True):
            cell.metadata["tags"] = [tag]
        content.metadata["irislib"] = {"run": run}
        nbformat.write(content, folder / f"{name}.ipynb")
    for name in ("iris-wizard", "dummy"):
        (folder / f"{name}.ipynb").write_text((ROOT / "notebooks" / f"{name}.ipynb").read_text())
    options = [r"--VoilaConfiguration.file_allowlist=.*\.(png|csv)", "--max-upload-bytes=2500000", *TAG_OPTIONS,
               "--VoilaConfiguration.allow_theme_override=YES"]  # fmt: skip
    server = Server(folder / "log", "serve", "--notebooks", str(folder), *options).wait()
    requests.get(f"{server.url}/slow", timeout=PATIENCE)  # until all pages have been run
    yield server
    assert server.stop() == 0
    assert "reference " not in server.text()


def outputs(*cells: Any) -> Any:
    """Return a notebook of cells with these outputs; a cell is taken as it is."""
    content = [cell if "cell_type" in cell else new_code_cell(outputs=[cell]) for cell in cells]
    return new_notebook(cells=content)


def data(**types: Any) -> Any:
    return new_output("display_data", {name.replace("_", "/"): value for name, value in types.items()})


def view(model: str = "w") -> Any:
    return new_output("display_data", {"text/plain": "Page()", VIEW: {"model_id": model}})


def widget(module: str = "anywidget", name: str = "AnyModel", buffers: Any = None, **state: Any) -> dict[str, Any]:
    content = {"model_name": name, "model_module": module, "model_module_version": "1", "state": {"_esm": "x", **state}}
    return {**content, **({"buffers": buffers} if buffers else {})}


LAYOUT = {"l": widget("@jupyter-widgets/base", "LayoutModel", width="3em")}


@pytest.mark.parametrize(
    ("light", "cells", "widgets"),
    [
        (True, [], {}),
        (True, [new_markdown_cell("# A *title*"), new_code_cell("pass")], {}),
        (False, [new_markdown_cell("costs $x$")], {}),
        (False, [new_raw_cell("raw")], {}),
        (True, [new_output("stream", text="words")], {}),
        (True, [data(text_plain="1"), data(text_html="<b>1</b>", text_plain="1"), data(image_png="aaaa")], {}),
        (False, [data(text_html="<p><SCRIPT src=x></p>")], {}),
        (False, [data(text_latex="$x$", text_plain="x")], {}),
        (False, [data(application_javascript="1")], {}),
        (False, [new_output("error", ename="E", evalue="", traceback=[])], {}),
        (True, [view()], {"w": widget(layout="IPY_MODEL_l", rows=[{"a": 1.5}]), **LAYOUT}),
        (True, [view()], {"w": widget(), "unseen": widget()}),
        (False, [view("other")], {"w": widget()}),
        (False, [view()], {"w": widget("@jupyter-widgets/controls", "IntSliderModel")}),
        (False, [], {"link": widget("@jupyter-widgets/controls", "LinkModel")}),  # it works unseen
        (False, [view()], {"w": widget(children=["IPY_MODEL_o"]), "o": widget()}),
        (False, [view()], {"w": widget(child={"of": "anywidget:o"}), "o": widget()}),
        (False, [view()], {"w": widget(buffers=[{"path": ["x"], "data": "AA==", "encoding": "base64"}])}),
        (False, [view()], {"w": widget(x=float("nan"))}),  # no JSON
    ],
)
def test_which_pages_are_light(light: bool, cells: list[Any], widgets: dict[str, Any]) -> None:
    assert is_light(NotebookRun(outputs(*cells), widgets)) is light


def page_data(page: Any) -> Any:
    """Return the data that a light page passes to its script."""
    return json.loads(page.locator("#irislib-page").text_content())


def kernel_of(page: Any) -> str:
    return str(page_data(page)["kernel"])


def record_sockets(page: Any) -> None:
    """Record the sockets of a page, so that a test can close them."""
    page.add_init_script(
        "window.sockets = []; window.WebSocket = class extends WebSocket {"
        "  constructor(...facts) { super(...facts); window.sockets.push(this); } }"
    )


def test_a_page_needs_few_requests_and_they_are_cached(page, ahead: Server, iris) -> None:
    responses: list[Any] = []
    page.on("response", lambda response: responses.append(response))
    open_app(page, ahead, "iris-wizard", "Abrakadabra")
    assert page.title() == "Iris Wizard"
    expect(page.get_by_label("Colours")).to_be_visible()
    submit_row(page, iris, GOOD)
    expect(page.locator(".irislib-answer")).to_contain_text("Species: virginica, ")
    assert page.locator("#jupyter-config-data, script[src*='voila.js']").count() == 0
    assert len(responses) < 15
    headers = {response.url: response.all_headers() for response in responses}
    for url, response_headers in list(headers.items())[1:]:
        assert response_headers["cache-control"] == "public, max-age=31536000, immutable", url
        assert "Accept-Encoding" in response_headers["vary"], url
        if int(response_headers.get("content-length", 0)) > 1024:
            assert response_headers["content-encoding"] == "gzip", url
    assert {response_headers["content-type"].partition(";")[0] for response_headers in headers.values()} == {
        "text/html", "text/css", "text/javascript",
    }  # fmt: skip


def test_a_files_address_is_that_of_its_content(ahead: Server) -> None:
    path = "/voila/templates/irislib/static/page.css"
    assert ahead.get(path).headers["Cache-Control"] == "no-cache"
    assert ahead.get(f"{path}?v=0").headers["Cache-Control"] == "no-cache"
    assert ahead.get("/voila/front/0.js").status_code == 404


def test_files_are_sent_compressed_and_whole(ahead: Server) -> None:
    voila, widget = (
        re.search(pattern, ahead.get(page).text)[0]
        for pattern, page in ((r"/voila/static/\w+/voila\.js", "/lab"), (r"/voila/front/\w+\.js", "/iris-wizard"))
    )
    extension = re.search(r"/voila/labextensions/anywidget/\./static/remoteEntry\.\w+\.js", ahead.get("/lab").text)[0]
    for path in (voila, widget, extension, "/voila/templates/irislib/static/page.css"):
        plain = ahead.get(path, headers={"Accept-Encoding": "identity"})
        assert "Content-Encoding" not in plain.headers
        for _ in range(2):
            compressed = ahead.get(path)
            assert compressed.headers["Content-Encoding"] == "gzip"
            assert int(compressed.headers["Content-Length"]) < len(plain.content) / 2  # it is known, for it is kept
            assert compressed.content == plain.content
    assert ahead.get(voila, headers={"Range": "bytes=5-9"}).content == ahead.get(voila).content[5:10]


def test_a_file_is_compressed_anew_once_it_has_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.js").write_text("a" * 2000)
    (tmp_path / "a.png").write_bytes(bytes(2000))
    (tmp_path / "b.js").write_text("short")

    def compress(name: str) -> bytes | None:
        return static_files.compress_file(static_files.content_key(str(tmp_path / name)))

    assert compress("a.png") is None
    assert compress("b.js") is None
    first = compress("a.js")
    with monkeypatch.context() as patch:
        patch.setattr(gzip, "compress", lambda *_: pytest.fail("it is compressed again"))
        assert compress("a.js") is first
    (tmp_path / "a.js").write_text("b" * 3000)
    assert gzip.decompress(compress("a.js")) == b"b" * 3000


def test_files_are_uploaded_and_downloaded(page, ahead: Server, tmp_path: Path) -> None:
    open_app(page, ahead, "iris-wizard", "Abrakadabra")
    page.get_by_role("tab", name="Table").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download a template").click()
    template = Path(download.value.path()).read_text()
    rows = tmp_path / "rows.csv"
    rows.write_text(template.splitlines()[0] + "\n" + "\n".join(["5,2,6,3"] * 20_000))
    page.locator("input[type=file]").set_input_files(rows)
    page.get_by_role("button", name="Predict all rows").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download the result").click()
    result = Path(download.value.path()).read_text()
    assert len(result) > 500_000  # in several messages
    assert result.count(",virginica,") == 20_000


@pytest.mark.parametrize("name", ["files-once", "files-each"])
def test_pictures_and_links_to_files_beside_a_notebook_work(page, ahead: Server, name: str) -> None:
    page.goto(f"{ahead.url}/{name}")
    pictures = page.locator("#rendered_cells img")
    expect(pictures).to_have_count(4)
    page.wait_for_function("[...document.images].every((image) => image.complete)")
    assert pictures.evaluate_all("images => images.map((image) => image.naturalWidth)") == [100] * 4
    address = page.get_by_role("link", name="data.csv").evaluate("link => link.href")
    assert requests.get(address, timeout=PATIENCE).text == "a,b\n1,2\n"


@pytest.mark.parametrize("name", ["callbacks-once", "callbacks-each"])
def test_an_upload_that_is_too_large_is_named_and_callbacks_are_logged(
    page, ahead: Server, name: str, tmp_path: Path
) -> None:
    page.goto(f"{ahead.url}/{name}")
    upload = page.locator("button.widget-upload")
    line = page.locator("button.widget-upload + [role=alert]")
    for size in (5_000_000, 2_400_000):
        (tmp_path / "file").write_bytes(bytes(size))
        with page.expect_file_chooser() as chooser:
            upload.click()
        chooser.value.set_files(tmp_path / "file")
        if size > 2_500_000:
            expect(line).to_have_text("This upload has 5.0 MB; at most 2.5 MB are taken at once.")
    page.get_by_text("2,400,000 bytes").wait_for()
    expect(line).to_have_count(0)

    page.get_by_role("button", name="go").click()
    page.get_by_text("shown on the page").wait_for()
    wait_until(lambda: "LookupError: raised by" in ahead.text().partition(f"{name}.ipynb: a callback failed:")[2])
    log = ahead.text()
    assert f"{name}.ipynb printed: printed by a callback" in log
    assert f"{name}: [mine] logged" in log.replace(".ipynb", "")
    assert "printed: shown on the page" not in log


def test_what_a_page_can_write_into_the_log_is_limited(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    log = CallbackLog("a.ipynb", logging.getLogger())
    log.add("stream", {"name": "stdout", "text": "one\n[AppServer] \x1b[31mtwo\x1b[0m\r\n"})
    assert caplog.messages == ["a.ipynb printed: one\n    [AppServer] two?"]
    caplog.clear()
    for _ in range(100):
        log.add("stream", {"name": "stderr", "text": "x" * 10_000})
    assert sum(map(len, caplog.messages)) < 30_000
    assert caplog.messages[-1] == "a.ipynb prints more than is logged."


@pytest.mark.parametrize("name", ["tags-once", "tags-each"])
def test_tags_and_preprocessors_of_nbconvert_work(ahead: Server, name: str) -> None:
    text = ahead.get(f"/{name}").text
    assert "removed" not in text.replace("input removed 5", "")
    assert "hidden" not in text.partition('id="rendered_cells"')[2]
    assert "input removed 5" in text  # the cell before it was run
    assert "usual" in text
    assert text.count("stamped by a preprocessor") == 1


def test_a_visitor_may_choose_a_theme_where_that_is_allowed(ahead: Server) -> None:
    for query, theme in (("", "light"), ("?theme=dark", "dark")):
        assert f'"jupyterLabTheme": "{theme}"' in ahead.get(f"/lab{query}").text


def test_nothing_is_left_to_run_on_a_prerendered_page() -> None:
    configuration = VoilaConfiguration(progressive_rendering=True, theme="dark")
    options = {"voila_configuration": configuration, "traitlet_config": Config()}
    page = PrerenderedPage(NotebookRun(notebook(), {}), **options)
    assert not page.voila_configuration.progressive_rendering
    assert configuration.progressive_rendering


def test_widgets_of_other_libraries_work(page, ahead: Server) -> None:
    page.goto(f"{ahead.url}/widgets")
    one, two = (page.get_by_role("button", name=name) for name in ("one", "two"))
    expect(one).to_have_text("one 10, pressed 0")
    box = one.locator("..")
    assert [box.evaluate("el => el.style.width"), one.evaluate("el => getComputedStyle(el).letterSpacing")] == [
        "300px", "3px",
    ]  # fmt: skip
    one.click()
    expect(one).to_have_text("one 11, pressed 1")
    expect(box.locator("output")).to_have_text(r"b'\x01\x02\x01'")
    one.click()
    expect(box.locator("output")).to_have_text(r"b'\x01\x02\x02'")
    expect(box).to_have_css("width", "321px")
    expect(box).to_have_class("many")
    one.click(button="right")
    expect(box.locator("output")).to_have_text("12 of 2")
    expect(one).to_have_attribute("title", "abab 7")
    two.click()
    expect(two).to_have_text("two 11, pressed 1")


def test_parts_work_beside_other_widgets_and_are_readable_in_the_dark(page, ahead: Server) -> None:
    page.emulate_media(color_scheme="dark")
    page.goto(f"{ahead.url}/parts")
    page.get_by_text("Please fill in: Size, Secret.").wait_for()
    size, secret = page.get_by_label("Size"), page.get_by_label("Secret")
    size.fill("60")
    secret.focus()
    page.get_by_text("Size must be at least 0 and at most 10, got 60.").wait_for()
    size.fill("6")
    secret.fill("abc")
    page.get_by_text("6 squared is 36.").first.wait_for()
    secret.press("Enter")
    page.get_by_text("6 and 3 letters").wait_for()
    expect(secret).to_have_value("")
    page.get_by_role("button", name="Send").click()
    page.get_by_text("Secret is missing").wait_for()
    page.get_by_role("button", name="seven").click()  # by Python
    expect(size).to_have_value("7")
    page.get_by_text("7 squared is 49.").first.wait_for()
    check(page, "parts")
    margin = "(cells) => cells.getBoundingClientRect().left + parseFloat(getComputedStyle(cells).paddingLeft)"
    assert page.locator("#rendered_cells").evaluate(margin) == 12
    open_app(page, ahead, "iris-wizard", "Abrakadabra")
    assert page.locator("#rendered_cells").evaluate(margin) == 0  # the app has its own


def test_the_state_of_widgets_is_escaped(page, ahead: Server) -> None:
    page.goto(f"{ahead.url}/breaking")
    page.get_by_text("</script><script>window.broken = true</script><!-- <script>&amp; é").wait_for()
    assert page.evaluate("window.broken") is None
    assert re.fullmatch(r"[0-9a-f-]{36}", kernel_of(page))
    assert all("_esm" not in widget_data["state"] for widget_data in page_data(page)["widgets"].values())


def test_a_reply_survives_a_broken_connection(page, ahead: Server) -> None:
    record_sockets(page)
    open_app(page, ahead, "slow", "Go")
    page.get_by_role("textbox").fill("first")
    page.get_by_role("button", name="Go").click()
    page.get_by_text("first!").wait_for()
    page.get_by_role("textbox").fill("second")
    page.get_by_role("button", name="Go").click()
    page.wait_for_function("sockets.at(-1).bufferedAmount === 0")
    page.evaluate("setTimeout(() => sockets.at(-1).close(), 300)")  # it is being answered by then
    page.get_by_text("second!").wait_for()
    assert page.evaluate("sockets.length") == 2
    assert len(set(page.evaluate("sockets.map((socket) => socket.url)"))) == 1  # it is known by its session
    expect(page.locator(".irislib-banner")).to_be_hidden()


def test_a_page_comes_back_from_a_network_that_loses_requests(page, ahead: Server) -> None:
    record_sockets(page)
    page.add_init_script("const wait = AbortSignal.timeout.bind(AbortSignal); AbortSignal.timeout = () => wait(2000)")
    requested: list[Any] = []

    def lose_first(route: Any) -> None:
        requested.append(route)
        if len(requested) > 1:
            route.continue_()

    page.route(re.compile("/api/kernels/[^/]*$"), lose_first)
    open_app(page, ahead, "slow", "Go")
    page.evaluate("sockets[0].close()")
    page.wait_for_function("sockets.length === 2 && sockets[1].readyState === 1")


def test_a_page_can_be_used_before_its_connection(page, ahead: Server) -> None:
    page.add_init_script(
        "window.held = new Promise((free) => (window.free = free)); const real = WebSocket;"
        "window.WebSocket = function (...facts) { const later = { readyState: 0, close() {} };"
        "  held.then(() => { const socket = new real(...facts); socket.binaryType = 'arraybuffer';"
        "    later.send = (message) => socket.send(message);"
        "    for (const on of ['onopen', 'onmessage', 'onclose']) socket[on] = (event) => {"
        "      later.readyState = socket.readyState; later[on](event); }; });"
        "  return later; }; WebSocket.OPEN = 1;"
    )
    page.goto(f"{ahead.url}/slow")
    page.get_by_role("textbox").fill("early")
    page.get_by_role("button", name="Go").click()
    expect(page.get_by_role("button", name="Working…")).to_be_visible()
    page.evaluate("free()")
    page.get_by_text("early!").wait_for()


def test_a_cached_page_reconnects_or_shows_that_it_has_ended(page, ahead: Server) -> None:
    record_sockets(page)
    open_app(page, ahead, "slow", "Go")
    back = "dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))"
    page.evaluate(back)
    page.wait_for_function("sockets.length === 2 && sockets[1].readyState === 1")
    page.get_by_role("textbox").fill("back")
    page.get_by_role("button", name="Go").click()
    page.get_by_text("back!").wait_for()
    page.evaluate(
        "(id) => fetch(`/voila/api/shutdown/${id}`, { method: 'POST', headers: { 'X-XSRFToken': "
        "document.cookie.match(/_xsrf=([^;]*)/)[1] } })",
        kernel_of(page),
    )
    page.evaluate(back)
    page.get_by_text("Your session has ended.").wait_for()
    page.get_by_role("button", name="Go").click()  # nothing hangs
    expect(page.get_by_role("button", name="Go")).to_be_visible()
    with page.expect_navigation():
        page.get_by_role("button", name="Reload").click()
    expect(page.get_by_role("textbox")).to_have_value("back")


def test_a_kernel_ends_with_its_page(page, ahead: Server) -> None:
    open_app(page, ahead, "iris-wizard", "Abrakadabra")
    kernel = kernel_of(page)
    assert ahead.get(f"/api/kernels/{kernel}").ok
    page.goto("about:blank")
    wait_until(lambda: ahead.get(f"/api/kernels/{kernel}").status_code == 404)


def test_an_older_framing_does_not_block_the_server(page, ahead: Server) -> None:
    open_app(page, ahead, "iris-wizard", "Abrakadabra")
    model = next(name for name, widget_data in page_data(page)["widgets"].items() if "esm" in widget_data)
    text = page.evaluate(
        """async ([kernel, model]) => {
          const socket = new WebSocket(`ws://${location.host}/api/kernels/${kernel}/channels?session_id=old`);
          await new Promise((done) => (socket.onopen = done));
          const content = { method: "download", id: 1, file: "template", part: 0 };
          socket.send(JSON.stringify({
            header: { msg_id: "1", msg_type: "comm_msg", session: "old", username: "", version: "5.3" },
            parent_header: {}, metadata: {}, channel: "shell",
            content: { comm_id: model, data: { method: "custom", content } },
          }));
          return new Promise((done) => (socket.onmessage = async ({ data }) => data.text && done(await data.text())));
        }""",
        [kernel_of(page), model],
    )
    assert "petal_length_cm,petal_width_cm" in text
    assert ahead.get("/healthz").ok


@pytest.mark.parametrize("pattern", ["**/voila/front/*.js", "**/static/kernel.js*"])
def test_a_script_that_is_not_loaded_is_a_message(page, ahead: Server, pattern: str) -> None:
    page.route(pattern, lambda route: route.abort())
    page.goto(f"{ahead.url}/breaking")
    page.get_by_text("A part of this page could not be loaded.").wait_for()


def test_a_page_that_is_not_light_works_with_jupyterlab(page, ahead: Server) -> None:
    responses: list[Any] = []
    page.on("response", lambda response: responses.append(response))
    page.goto(f"{ahead.url}/lab")
    page.get_by_label("In").fill("words")
    page.get_by_text("WORDS").wait_for()
    urls = [response.url for response in responses]
    assert len(urls) == len(set(urls))  # what was begun early was used
    preloaded = page.eval_on_selector_all("link[rel=preload]", "links => links.map((link) => link.href)")
    assert set(preloaded) <= set(urls)
    immutable = [
        response for response in responses if response.all_headers().get("cache-control", "").endswith("immutable")
    ]
    assert len(urls) - len(immutable) < 6
