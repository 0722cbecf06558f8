"""The style sheet of the application, on top of Qt's Fusion style.

A widget selects a look with a dynamic property, so that no view has a style sheet of its own.

`QPushButton kind`: primary, flat, chip (on the canvas). `QLabel role`: title, headline, dim, small, error, warning, ok,
badge. `QFrame role`: card, bar, panel. `QToolButton kind`: panel (in a panel's header).
Change a property with `polish(widget, name, value)`.
"""

from __future__ import annotations

from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import QWidget

from seqdec_gui import resource_files
from seqdec_gui.gui.look.fonts import SCALE, font
from seqdec_gui.gui.look.scheme import CONTROL_HEIGHT, RADIUS, SPACE, Theme


def polish(widget: QWidget, name: str, value: object) -> None:
    """Set a property that the style sheet selects by, and apply the style again."""
    if widget.property(name) != value:
        widget.setProperty(name, value)
        if not widget.testAttribute(Qt.WA_WState_Polished):
            return  # the style is applied when the widget is first shown; twice would be slow
        widget.style().unpolish(widget)
        widget.style().polish(widget)


def stylesheet(theme: Theme) -> str:
    """Return the style sheet of the whole application for this theme."""
    try:
        icons = resource_files.path("icons/controls").as_posix()
    except FileNotFoundError:
        icons = ""
    left_out = ("category", "annotation", "high_contrast")
    values = {name: getattr(theme, name) for name in theme.__struct_fields__ if name not in left_out}
    values |= {"icons": icons, "s": str(SPACE), "s2": str(2 * SPACE), "s3": str(3 * SPACE), "s4": str(4 * SPACE)}
    values |= {"r": str(RADIUS), "h": str(CONTROL_HEIGHT - 2), "hin": str(CONTROL_HEIGHT - 4)}
    base = font().pointSizeF()
    values |= {f"{role}_pt": f"{base * factor:.2f}pt" for role, factor in SCALE.items()}
    text = _SHEET
    for name in values:
        text = text.replace(f"@{name}@", values[name])
    return text


_SHEET = """
QWidget { color: @text@; }
QMainWindow, QDialog { background: @window@; }
QDialogButtonBox { dialogbuttonbox-buttons-have-icons: 0; }
QToolTip { color: @text@; background: @surface_raised@; border: 1px solid @border@; padding: @s@px @s2@px; }

QLabel { background: transparent; }
QLabel[role="headline"] { font-size: @headline_pt@; font-weight: 600; }
QLabel[role="title"] { font-size: @title_pt@; font-weight: 600; }
QLabel[role="section"] { font-size: @small_pt@; font-weight: 600; color: @text_dim@; }
QLabel[role="dim"] { color: @text_dim@; }
QLabel[role="small"] { color: @text_dim@; font-size: @small_pt@; }
QLabel[role="value"] { font-weight: 600; }
QLabel[role="error"] { color: @error@; font-size: @small_pt@; }
QLabel[role="warning"] { color: @warning@; font-size: @small_pt@; }
QLabel[role="wire_float"] { color: @wire_float@; }
QLabel[role="wire_ids"] { color: @wire_ids@; }
QLabel[role="wire_states"] { color: @wire_states@; }
QLabel[role="position"] { background: @surface_raised@; border: 1px solid @border@; border-radius: 3px; font-size: @small_pt@;
    padding: 0 @s@px; }
QLabel[role="ok"] { color: @ok@; font-size: @small_pt@; }

QPushButton { background: @surface@; border: 1px solid @control_border@; border-radius: @r@px; padding: 0 @s3@px;
    min-height: @h@px; outline: none; }
QPushButton:hover { background: @hover@; }
QPushButton:pressed, QPushButton:checked { background: @pressed@; }
QPushButton:focus { border: 2px solid @accent@; padding: 0 11px; min-height: @hin@px; }
QPushButton:disabled { color: @text_disabled@; border-color: @border@; background: @window@; }
QPushButton[kind="primary"] { background: @accent@; border-color: @accent@; color: @accent_text@; font-weight: 600;
    padding: 0 @s4@px; }
QPushButton[kind="primary"]:hover { background: @accent_hover@; border-color: @accent_hover@; }
QPushButton[kind="primary"]:focus { border: 2px solid @text@; padding: 0 15px; }
QPushButton[kind="primary"]:disabled { background: @hover@; border-color: @border@; color: @text_dim@; }
QPushButton[kind="flat"] { background: transparent; border-color: transparent; color: @accent@; padding: 0 @s2@px; }
QPushButton[kind="flat"]:hover { background: @hover@; }
QPushButton[kind="flat"]:focus { border: 2px solid @accent@; padding: 0 7px; }
QPushButton[kind="flat"]:disabled { color: @text_disabled@; }

QPushButton[kind="on_accent"] { background: transparent; border: 1px solid @accent_text@; color: @accent_text@;
    padding: 0 @s2@px; min-height: 20px; }
QPushButton[kind="on_accent"]:hover { background: @accent_hover@; }
QLabel[role="on_accent"] { color: @accent_text@; }
QPushButton[kind="chip"] { background: @surface_raised@; border-color: @accent@; color: @accent@; font-size: @small_pt@;
    border-radius: 10px; padding: 0 @s2@px; min-height: 20px; }
QPushButton[kind="chip"]:hover { background: @hover@; }
QPushButton[kind="chip"]:focus { border: 2px solid @accent@; padding: 0 7px; min-height: 18px; }

QToolButton { background: transparent; border: 1px solid transparent; border-radius: @r@px; padding: @s@px; }
QToolButton:hover { background: @hover@; }
QToolButton:pressed, QToolButton:checked { background: @pressed@; }
QToolButton:focus { border-color: @accent@; }
QToolButton:disabled { color: @text_disabled@; }
QToolButton[kind="picker"] { border-color: @control_border@; background: @surface@; padding: 0 @s2@px; min-height: @h@px; }
QToolButton[kind="picker"]:hover { background: @hover@; }
QToolButton[kind="picker"]:focus { border-color: @accent@; }
QToolButton::menu-indicator { image: none; }
QToolButton[kind="picker"]::menu-indicator { image: url(@icons@/chevron-down-@name@.svg); subcontrol-origin: padding;
    subcontrol-position: right center; right: @s@px; width: 16px; height: 16px; }
QToolButton[kind="picker"] { padding-right: 24px; }
QPushButton::menu-indicator { image: url(@icons@/chevron-down-@name@.svg); subcontrol-origin: padding;
    subcontrol-position: right center; right: @s@px; width: 16px; height: 16px; }
QToolButton#templates_button { padding: 2px @s@px; color: @accent@; }
QToolButton[kind="small"] { padding: 1px; }

QAbstractScrollArea { background: @surface@; border: none; }
QLineEdit, QPlainTextEdit, QTextEdit, QAbstractSpinBox, QComboBox { background: @surface@; color: @text@;
    border: 1px solid @control_border@; border-radius: @r@px; selection-background-color: @accent@;
    selection-color: @accent_text@; }
QLineEdit, QAbstractSpinBox, QComboBox { padding: 0 @s2@px; min-height: @h@px; }
QPlainTextEdit, QTextEdit { padding: @s@px; }
QLineEdit:focus, QPlainTextEdit:focus, QTextEdit:focus, QAbstractSpinBox:focus, QComboBox:focus, QComboBox:on {
    border: 2px solid @accent@; }
QLineEdit:focus, QAbstractSpinBox:focus, QComboBox:focus { padding: 0 7px; min-height: @hin@px; }
QLineEdit[invalid="true"], QPlainTextEdit[invalid="true"], QAbstractSpinBox[invalid="true"], QComboBox[invalid="true"] {
    border-color: @error@; }
QLineEdit:disabled, QAbstractSpinBox:disabled, QComboBox:disabled, QPlainTextEdit:disabled {
    color: @text_disabled@; background: @window@; border-color: @border@; }
QLineEdit:read-only { background: @window@; border-color: @border@; }
QPlainTextEdit[kind="plain"], QTextEdit[kind="plain"] { border: none; border-radius: 0; padding: @s2@px;
    background: @surface@; }
QPlainTextEdit[kind="plain"]:focus, QTextEdit[kind="plain"]:focus { border: 1px solid @accent@; padding: 7px; }
QAbstractItemView QLineEdit, QAbstractItemView QComboBox { border-radius: 0; min-height: 0; padding: 0 @s@px; }

QComboBox { padding-right: 2px; }
QComboBox:focus, QComboBox:on { padding-right: 1px; }
QComboBox::drop-down { border: none; width: 22px; subcontrol-origin: padding; subcontrol-position: right center; }
QComboBox::down-arrow { image: url(@icons@/chevron-down-@name@.svg); width: 16px; height: 16px; }
QComboBox::down-arrow:disabled { image: url(@icons@/chevron-down-disabled-@name@.svg); }
QComboBox QAbstractItemView { background: @surface_raised@; border: 1px solid @border@; padding: @s@px; outline: none; }
QAbstractSpinBox::up-button, QAbstractSpinBox::down-button { border: none; background: transparent; width: 20px;
    subcontrol-origin: border; }
QAbstractSpinBox::up-button { subcontrol-position: top right; }
QAbstractSpinBox::down-button { subcontrol-position: bottom right; }
QAbstractSpinBox::up-button:hover, QAbstractSpinBox::down-button:hover { background: @hover@; }
QAbstractSpinBox::up-arrow { image: url(@icons@/chevron-up-@name@.svg); width: 12px; height: 12px; }
QAbstractSpinBox::down-arrow { image: url(@icons@/chevron-down-@name@.svg); width: 12px; height: 12px; }

QCheckBox, QRadioButton { spacing: @s2@px; min-height: 24px; background: transparent; }
QCheckBox::indicator, QRadioButton::indicator, QAbstractItemView::indicator, QGroupBox::indicator { width: 14px; height: 14px;
    border: 1px solid @control_border@; background: @surface@; }
QCheckBox::indicator, QAbstractItemView::indicator, QGroupBox::indicator { border-radius: 4px; }
QRadioButton::indicator { border-radius: 8px; }
QCheckBox::indicator:hover, QRadioButton::indicator:hover { border-color: @accent@; }
QCheckBox::indicator:focus, QRadioButton::indicator:focus { border: 2px solid @accent@; width: 12px; height: 12px; }
QCheckBox::indicator:checked, QAbstractItemView::indicator:checked, QGroupBox::indicator:checked { background: @accent@;
    border-color: @accent@; image: url(@icons@/check-@name@.svg); }
QCheckBox::indicator:checked:focus, QRadioButton::indicator:checked:focus { border: 2px solid @text@; }
QCheckBox::indicator:indeterminate { background: @accent@; border-color: @accent@; image: url(@icons@/dash-@name@.svg); }
QRadioButton::indicator:checked { background: @accent@; border-color: @accent@; image: url(@icons@/dot-@name@.svg); }
QCheckBox::indicator:disabled, QRadioButton::indicator:disabled { border-color: @border@; background: @window@; }
QCheckBox:disabled, QRadioButton:disabled { color: @text_disabled@; }
QCheckBox:focus, QRadioButton:focus { outline: none; }

QMenuBar { background: @window@; padding: 2px @s@px; }
QMenuBar::item { padding: @s@px @s2@px; border-radius: 4px; background: transparent; }
QMenuBar::item:selected { background: @hover@; }
QMenu { background: @surface_raised@; border: 1px solid @border@; padding: @s@px; }
QMenu::item { padding: 5px 28px 5px @s3@px; border-radius: 4px; }
QMenu::icon { padding-left: @s2@px; }
QMenu::item:selected { background: @accent@; color: @accent_text@; }
QMenu::item:disabled { color: @text_disabled@; background: transparent; }
QMenu::separator { height: 1px; background: @border@; margin: @s@px @s2@px; }
QMenu::indicator { width: 16px; height: 16px; left: 4px; }
QMenu::indicator:checked { image: url(@icons@/check-menu-@name@.svg); }

QToolBar { background: @window@; border: none; border-bottom: 1px solid @border@; spacing: 2px; padding: 6px @s2@px; }
QToolBar::separator { width: 1px; background: @border@; margin: @s@px 6px; }
QStatusBar { background: @window@; border-top: 1px solid @border@; color: @text_dim@; font-size: @body_pt@; }
QStatusBar::item { border: none; }

QTabWidget::pane { border: none; border-top: 1px solid @border@; background: @surface@; }
QTabBar { background: @window@; qproperty-drawBase: 0; }
QTabBar::tab { background: transparent; color: @text_dim@; border: none; border-bottom: 2px solid transparent;
    padding: 6px @s4@px 5px @s4@px; }
QTabBar[tight="true"]::tab { padding: 6px @s2@px 5px @s2@px; }
QTabBar::tab:hover { color: @text@; background: @hover@; }
QTabBar::tab:selected { color: @text@; border-bottom-color: @accent@; }
QTabBar::tab:focus { color: @accent@; }
QTabBar::tab:disabled { color: @text_disabled@; }

QScrollArea, QScrollArea > QWidget > QWidget { background: transparent; border: none; }
QScrollArea:focus { border: 1px solid @accent@; }
QScrollBar:vertical { background: transparent; width: 10px; margin: 0; }
QScrollBar:horizontal { background: transparent; height: 10px; margin: 0; }
QScrollArea#welcome_page QScrollBar:vertical { background: @window@; }
QScrollBar::handle { background: @control_border@; border-radius: 3px; margin: 2px; }
QScrollBar::handle:vertical { min-height: 28px; }
QScrollBar::handle:horizontal { min-width: 28px; }
QScrollBar::handle:hover { background: @text_dim@; }
QScrollBar::add-line, QScrollBar::sub-line { width: 0; height: 0; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }
QAbstractScrollArea::corner { background: transparent; }

QListView, QTreeView, QTableView { background: @surface@; alternate-background-color: @window@; border: none; outline: none;
    gridline-color: @grid@; selection-background-color: @selection@; selection-color: @text@; }
QListView::item, QTreeView::item { padding: 3px @s@px; border-radius: 4px; }
QListView::item:hover, QTreeView::item:hover { background: @hover@; }
QListView::item:selected, QTreeView::item:selected, QTableView::item:selected { background: @selection@; color: @text@; }
QTreeView::branch { background: transparent; }
QTreeView::branch:has-children:closed { image: url(@icons@/chevron-right-@name@.svg); }
QTreeView::branch:has-children:open { image: url(@icons@/chevron-down-@name@.svg); }
QTableView::item { padding: 0 5px; }
QTableView:focus, QListView:focus, QTreeView:focus { border: 1px solid @accent@; }
QHeaderView { background: @surface@; }
QHeaderView::section { background: @surface@; color: @text_dim@; border: none; border-bottom: 1px solid @border@;
    padding: 6px @s2@px; font-size: @small_pt@; font-weight: 600; }
QHeaderView::up-arrow { image: url(@icons@/chevron-up-@name@.svg); }
QHeaderView::down-arrow { image: url(@icons@/chevron-down-@name@.svg); }
QHeaderView::up-arrow, QHeaderView::down-arrow { subcontrol-origin: border; subcontrol-position: top center;
    width: 12px; height: 12px; }
QTreeView#column_charset QHeaderView::section { padding: 6px @s@px; }
QTableCornerButton::section { background: @surface@; border: none; }

QSplitter::handle { background: @border@; }
QSplitter::handle:hover { background: @accent@; }
QSplitter::handle:horizontal { width: 1px; }
QSplitter::handle:vertical { height: 1px; }

QFrame[role="card"], QAbstractButton[role="card"] { background: @surface_raised@; border: 1px solid @border@;
    border-radius: 8px; }
QAbstractButton[role="card"]:hover { border-color: @accent@; }
QAbstractButton[role="card"]:focus { border: 2px solid @accent@; }
QFrame[role="bar"] { background: @selection@; border: none; border-bottom: 1px solid @border@; }
QFrame[role="panel"] { background: @surface@; border: none; }
QFrame[role="line"] { background: @border@; border: none; max-height: 1px; min-height: 1px; }
QFrame#command_palette { background: @surface_raised@; border: 1px solid @control_border@; border-radius: 10px; }
QFrame#command_palette QListWidget { background: transparent; border: none; }
QFrame[role="line_upright"] { background: @border@; border: none; max-width: 1px; min-width: 1px; }
QWidget[role="page"] { background: @surface@; }
QWidget[role="ground"] { background: @window@; }
QGroupBox { border: 1px solid @border@; border-radius: @r@px; margin-top: 12px; padding: @s3@px @s2@px @s2@px @s2@px; }
QGroupBox::title { subcontrol-origin: margin; left: @s2@px; padding: 0 @s@px; color: @text_dim@; }
QProgressBar { background: @hover@; border: none; border-radius: 3px; min-height: 6px; max-height: 6px; color: transparent; }
QProgressBar::chunk { background: @accent@; border-radius: 3px; }
QSlider::groove:horizontal { height: 4px; background: @border@; border-radius: 2px; }
QSlider::sub-page:horizontal { background: @accent@; border-radius: 2px; }
QSlider::handle:horizontal { background: @accent@; width: 14px; height: 14px; margin: -5px 0; border-radius: 7px; }
QSlider::handle:horizontal:focus { background: @text@; }
QMessageBox QLabel#qt_msgbox_informativelabel { min-width: 340px; }
QGraphicsView { border: none; }
CanvasView, QScrollArea > QWidget > CanvasView { border: 1px solid @surface@; }
CanvasView:focus, QScrollArea > QWidget > CanvasView:focus { border-color: @accent@; }
QLabel#verdict_tip { background: @surface_raised@; border: 1px solid @border@; border-radius: @r@px; }
QListWidget#block_search_list { background: transparent; }
"""
"""The style sheet with a `@name@` for each field of the theme."""
