"""The tables of one city's database. There is no city column: another city has another database.

Times are UTC instants, days are the city's local days, octets are the resident's view, secrets are sealed.
`docs/data-model.md` draws the relations.
"""

from __future__ import annotations

from store.schema.base import metadata as metadata
from store.schema.discovery import discovery as discovery
from store.schema.discovery import discovery_find as discovery_find
from store.schema.fleet import access_point as access_point
from store.schema.fleet import access_point_bssid as access_point_bssid
from store.schema.fleet import access_point_event as access_point_event
from store.schema.fleet import access_point_health as access_point_health
from store.schema.fleet import access_point_hour as access_point_hour
from store.schema.fleet import monitor_watch as monitor_watch
from store.schema.fleet import nas as nas
from store.schema.fleet import nas_arrival as nas_arrival
from store.schema.fleet import nas_contact as nas_contact
from store.schema.fleet import site as site
from store.schema.fleet import snmp_credential as snmp_credential
from store.schema.residents import acceptance as acceptance
from store.schema.residents import account as account
from store.schema.residents import block as block
from store.schema.residents import device as device
from store.schema.residents import grant as grant
from store.schema.residents import message as message
from store.schema.residents import notice as notice
from store.schema.residents import one_time_code as one_time_code
from store.schema.residents import plan as plan
from store.schema.residents import terms as terms
from store.schema.residents import terms_draft as terms_draft
from store.schema.residents import ticket as ticket
from store.schema.residents import voucher as voucher
from store.schema.residents import voucher_batch as voucher_batch
from store.schema.sessions import awaited as awaited
from store.schema.sessions import decision as decision
from store.schema.sessions import outbox as outbox
from store.schema.sessions import session as session
from store.schema.sessions import usage_daily as usage_daily
from store.schema.sessions import voucher_usage_daily as voucher_usage_daily
from store.schema.staff import audit as audit
from store.schema.staff import guess as guess
from store.schema.staff import job_lease as job_lease
from store.schema.staff import staff as staff
from store.schema.staff import staff_invite as staff_invite
from store.schema.staff import staff_session as staff_session
