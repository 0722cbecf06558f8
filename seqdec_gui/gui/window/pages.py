"""The pages of an open design. The module of a page is imported when it is first shown, or when the program is idle.

A page is a function `(Workspace) -> QWidget` that imports inside its body, and a row of `PAGES`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec
from PyQt5.QtWidgets import QWidget

from seqdec_gui.gui.widgets.empty_state import EmptyState
from seqdec_gui.gui.workspace.workspace import PageName, Workspace

if TYPE_CHECKING:
    from seqdec_gui.gui.pages.code.page import CodePage
    from seqdec_gui.gui.pages.data.page import DataPage
    from seqdec_gui.gui.pages.design.design_view import DesignView
    from seqdec_gui.gui.pages.generate.page import GeneratePage
    from seqdec_gui.gui.pages.queue.page import QueuePage
    from seqdec_gui.gui.pages.runs.page import RunsPage
    from seqdec_gui.gui.pages.sweep.page import SweepPage
    from seqdec_gui.gui.pages.train.page import TrainingPage


class Page(msgspec.Struct, frozen=True):
    """One page. `name` gives the object name `page_<name>`; `create` makes the page's widget.

    `panels` are the panels that act on the page ("left", "right", "bottom"); the others are never beside it, so that the page
    has their room. Those in `on_request` are hidden until the user asks for them.
    """

    name: str
    title: str
    icon: str
    create: Callable[[Workspace], QWidget]
    panels: tuple[str, ...] = ()
    on_request: tuple[str, ...] = ()


def design_page(workspace: Workspace) -> DesignView:
    """Return the view of the design, on which blocks are placed and connected."""
    from seqdec_gui.gui.pages.design import create_page

    return create_page(workspace)


def code_page(workspace: Workspace) -> CodePage:
    """Return the page with the design as a Python script."""
    from seqdec_gui.gui.pages.code.page import CodePage

    return CodePage(workspace)


def data_page(workspace: Workspace) -> DataPage:
    """Return the page with the data file and the columns that feed the ports."""
    from seqdec_gui.gui.pages.data.page import DataPage

    return DataPage(workspace)


def train_page(workspace: Workspace) -> TrainingPage:
    """Return the page with the curves of the run that trains."""
    from seqdec_gui.gui.pages.train.page import TrainingPage

    return TrainingPage(workspace)


def runs_page(workspace: Workspace) -> RunsPage:
    """Return the page with every run of the design."""
    from seqdec_gui.gui.pages.runs.page import RunsPage

    return RunsPage(workspace)


def queue_page(workspace: Workspace) -> QueuePage:
    """Return the page with the runs that wait for devices."""
    from seqdec_gui.gui.pages.queue.page import QueuePage

    return QueuePage(workspace)


def sweep_page(workspace: Workspace) -> SweepPage:
    """Return the page that searches for the best parameters of the design."""
    from seqdec_gui.gui.pages.sweep.page import SweepPage

    return SweepPage(workspace)


def generate_page(workspace: Workspace) -> GeneratePage:
    """Return the page that generates sequences with a trained run."""
    from seqdec_gui.gui.pages.generate.page import GeneratePage

    return GeneratePage(workspace)


PAGES: tuple[Page, ...] = (
    Page(PageName.DESIGN, "Design", "sitemap-outline", design_page, ("left", "right", "bottom")),
    Page(PageName.CODE, "Code", "code-tags", code_page, ("bottom",)),
    Page(PageName.DATA, "Data", "table", data_page, ("bottom",)),
    Page(PageName.TRAIN, "Train", "chart-line", train_page, ("right", "bottom"), ("right",)),
    Page(PageName.RUNS, "Runs", "history", runs_page),
    Page(PageName.GENERATE, "Generate", "creation", generate_page),
    Page(PageName.QUEUE, "Queue", "playlist-play", queue_page),
    Page(PageName.SWEEP, "Sweep", "tune-vertical", sweep_page),
)
"""The tabs, from left to right."""


def build(page: Page, workspace: Workspace) -> QWidget:
    """Return the page's widget or, if making it fails, a sentence about the error, so that the window stays usable."""
    try:
        return page.create(workspace)
    except Exception:
        logging.getLogger("seqdec_gui").exception("The page %s cannot be shown", page.title)
        return EmptyState("alert-circle-outline", page.title, "This page could not be opened; the program log says why.")
