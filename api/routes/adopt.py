"""The page on which an unregistered device is taken up."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response

from api.accounts import Act
from api.errors import NotFound
from api.pages import clock, language_of, measured, render
from api.ports import Guess, RegisterProblem, RegisterRefused
from api.routes.common import Deps, Keeper, audit
from api.transport.guarded_route import GuardedRoute
from campus.device import Kind, Role
from campus.text import marked as _
from campus.text import translator

router = APIRouter(include_in_schema=False, route_class=GuardedRoute)

KINDS = (
    (Kind.WATER_METER, _("水表")),
    (Kind.ELECTRICITY_METER, _("电表")),
    (Kind.GAS_METER, _("燃气表")),
    (Kind.COLD_STORAGE, _("冷柜冷库")),
    (Kind.PIPE_PROBE, _("管道探头")),
    (Kind.CLIMATE, _("温湿度")),
    (Kind.BOILER, _("锅炉供暖")),
    (Kind.LEAK_DETECTOR, _("水浸探测器")),
    (Kind.GATEWAY, _("网关")),
)
ROLES = (
    (Role.PIPE_WALL, _("管壁")),
    (Role.PIPE_SPACE, _("管道间")),
    (Role.CABINET_AIR, _("柜内空气")),
    (Role.PRODUCT, _("食品中心")),
    (Role.OUTDOOR, _("室外")),
    (Role.ROOM, _("室内")),
    (Role.CABLE, _("电缆")),
    (Role.HEATING_SUPPLY, _("供暖供水")),
    (Role.HEATING_RETURN, _("供暖回水")),
)
PROFILES = (
    ("freezer", _("冷冻")),
    ("fridge", _("冷藏")),
    ("sample_cabinet", _("留样柜")),
    ("exposed_pipe", _("外露管")),
)


@router.get("/held/adopt")
def adopt_form(request: Request, services: Deps, account: Keeper, address: str) -> Response:
    """The form, filled with what the device seems to be."""
    guess = services.register.guess(address)
    if guess is None:
        raise NotFound("unregistered device", address)
    return _form(request, services, account, guess.columns, guess)


async def _sent(request: Request) -> dict[str, str]:
    """The form's fields; read here, as the route itself works for seconds and is no coroutine."""
    return {key: str(value) for key, value in (await request.form()).items()}


@router.post("/held/adopt")
def adopt(
    request: Request,
    services: Deps,
    account: Keeper,
    device_id: Annotated[str, Form(alias="id")],
    sent: Annotated[dict[str, str], Depends(_sent)],
) -> Response:
    """Takes the device up, or shows the form again with every mistake."""
    columns = {key: value for key, value in sent.items() if key != "id"}
    try:
        _check_new(services, device_id)
        services.register.put(device_id, columns, account.display_name)
        audit(services, account, Act.DEVICE_CHANGED, device_id, columns=sorted(columns))
    except RegisterRefused as error:
        guess = services.register.guess(columns.get("address", ""))
        return _form(request, services, account, {"id": device_id, **columns}, guess, error)
    return RedirectResponse(f"/devices/{device_id}", status_code=303)


def _check_new(services: Deps, device_id: str) -> None:
    if device_id in services.campus().devices:
        expected = "an id used once; a device of the register has it"
        raise RegisterRefused([RegisterProblem("devices.csv:id", device_id, expected)])


def _form(
    request: Request,
    services: Deps,
    account: Keeper,
    values: dict[str, str],
    guess: Guess | None,
    refused: RegisterRefused | None = None,
) -> Response:
    return render(
        request,
        "adopt.html",
        status=422 if refused is not None else 200,
        account=account,
        values=values,
        guess=guess,
        measured=measured(guess.quantities, translator(language_of(request, services))) if guess else "",
        last=clock(guess.last_ms, services) if guess is not None else "",
        problems=refused.problems if refused is not None else (),
        kinds=KINDS,
        roles=ROLES,
        profiles=PROFILES,
        buildings=services.campus().site.buildings,
    )
