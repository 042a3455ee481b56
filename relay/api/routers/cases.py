"""Application cases of the city that this relay serves, with their last run; only where the configuration says where."""

from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, Response
from fastapi import Path as PathParameter
from fastapi.responses import FileResponse

from hutong.relay.api.reading.case_reports import NAME, evidence_of, read_reports
from hutong.relay.api.requests import InService, answer, known_parameters, refusals
from hutong.relay.api.service import Service
from hutong.relay.schemas import cases as schemas
from hutong.relay.web.problems import ApiProblem, Code

router = APIRouter(prefix="/v1", tags=["cases"], dependencies=[Depends(known_parameters)])

CaseName = Annotated[str, PathParameter(pattern=f"^{NAME.pattern}$", examples=["food-lots"])]


@router.get("/cases", response_model=schemas.CaseList, responses=refusals(Code.NOT_FOUND))
def cases(service: InService) -> Response:
    """Every application case that was run in this relay's city, ascending by number, with its last run."""
    folder = _folder(service)
    try:
        return answer(read_reports(folder))
    except OSError:
        raise ApiProblem(Code.NOT_FOUND, "the folder of the cases cannot be read") from None


@router.get(
    "/cases/{name}/evidence",
    responses={
        200: {
            "description": "docs/spec/case-evidence.md; for `hutong audit case`",
            "content": {"application/json": {"schema": {"type": "object"}}},
        },
        **refusals(Code.NOT_FOUND),
    },
    response_class=Response,
)
def case_evidence(service: InService, name: CaseName) -> Response:
    """What the last run of a case left for an auditor, as an attachment."""
    path = evidence_of(_folder(service), name)
    if path is None:
        raise ApiProblem(Code.NOT_FOUND, f"there is no evidence of a case {name}")
    headers = {"cache-control": "no-cache"}
    return FileResponse(path, headers=headers, media_type="application/json", filename=f"{name}.evidence.json")


def _folder(service: Service) -> Path:
    folder = service.settings.cases_folder
    if folder is None:
        raise ApiProblem(Code.NOT_FOUND, "this relay serves no cases: its configuration has no api.cases_folder")
    return folder
