"""What every route needs: the services of the application, and who is asking."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from api.accounts import Account, AccountRole
from api.services import Services
from api.session import signed_in


def services_of(request: Request) -> Services:
    """The services this application was made with."""
    services: Services = request.app.state.services
    return services


Deps = Annotated[Services, Depends(services_of)]
Viewer = Annotated[Account, Depends(signed_in(AccountRole.VIEWER))]
Duty = Annotated[Account, Depends(signed_in(AccountRole.DUTY))]
Admin = Annotated[Account, Depends(signed_in(AccountRole.ADMIN))]
