"""The parallelism certificate of a run: a badge that says what is known, and the dialog that finds out.

Object names: `certificate_badge` (Train page), `certificate_dialog` with `certificate_verdict`, `certificate_sentence`,
`certificate_table`, `certificate_devices`, `certify_button`, `cancel_certifying`, `certificate_repair`, `certificate_progress`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from seqdec_gui.gui.dialogs.certificate.dialog import CertificateDialog
    from seqdec_gui.gui.workspace.workspace import Workspace


def open_certificate(workspace: Workspace, run: Path) -> CertificateDialog:
    """Show a run's certificate, or offer to make one."""
    from seqdec_gui.gui.dialogs.certificate.dialog import CertificateDialog
    from seqdec_gui.gui.tasks import notify

    dialog = CertificateDialog(workspace, run, notify.window_of(workspace))
    notify.present(dialog)
    return dialog
