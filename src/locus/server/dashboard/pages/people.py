"""The pages about people, all of them."""

from locus.server.dashboard.pages import (
    people_account,
    people_device,
    people_keys,
    people_members,
    people_oauth,
    people_organization,
    people_sign_in,
    people_welcome,
)

ROUTES = [
    *people_sign_in.ROUTES,
    *people_oauth.ROUTES,
    *people_welcome.ROUTES,
    *people_account.ROUTES,
    *people_device.ROUTES,
    *people_members.ROUTES,
    *people_keys.ROUTES,
    *people_organization.ROUTES,
]
