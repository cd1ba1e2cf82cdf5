"""The keys alone: of all connections, or of those that were chosen."""


def test_all_lines_in_the_order_in_which_they_were_written(told):
    assert told.export("keylog").decode().splitlines() == told.heard.secrets


def test_the_lines_of_one_connection_also_of_its_later_part(told):
    request = told.one("http.request", resource="deployments", verb="create")
    connection, seq = request["connection"], request["seq"]
    lines = told.export("keylog", connection=connection).decode().splitlines()
    assert 4 <= len(lines) <= 6
    assert len({line.split()[1] for line in lines}) == 1
    assert told.export("keylog", first=seq, last=seq, connection=connection).decode().splitlines() == lines
    assert told.export("keylog", first=seq, last=seq).decode().splitlines() == lines
