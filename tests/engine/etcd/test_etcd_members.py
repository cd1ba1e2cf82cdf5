"""Three members over a real wire: they agree, go on without one, stop without two, and lose nothing."""


def test_what_is_written_at_one_member_is_read_at_every_other(run_members):
    async def story(world, members):
        async with members.client("etcd-2") as second, members.client("etcd-3") as third:
            written = await second.put(b"a", b"1")
            read = await third.get(b"a")
            return written.header, read

    written, read = run_members(story)
    assert [(kv.value, kv.mod_revision) for kv in read.kvs] == [(b"1", written.revision)]
    assert written.member_id != read.header.member_id
    assert written.cluster_id == read.header.cluster_id
