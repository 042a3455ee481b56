"""The `hutong` command. Before any module of it is imported, the current folder is taken out of the import path."""

from hutong.relay.base.import_path import leave_out_working_folder

leave_out_working_folder()  # here and not in `main`: `python -m hutong.relay.cli` has it first, and main's own imports follow
