"""Services on one machine keep to ports of their own: none answers the requests of another."""

from __future__ import annotations

from ditto.runtime.ports import own_ports


def test_two_services_have_no_port_in_common_and_a_third_gets_those_of_one_that_has_ended():
    with own_ports() as first:
        with own_ports() as second:
            assert not set(first) & set(second)
        with own_ports() as third:
            assert not set(first) & set(third)
            assert third == second
