"""What was recorded of other clusters, read into a journal as if it had happened here.

    capture_files   pcap and pcapng: frames with times, key log lines and names of addresses that stand in the file
    internet        frames to segments and datagrams: Ethernet, loopback, "cooked", VLAN, IPv4, IPv6, TCP, UDP, ICMP
    conversations   segments to what a tap would have told, and the lens reads it
    naming          who they are: certificates, tokens, what programs call themselves, ports, addresses
    audit_logs      an audit log's lines as notes of the API server
    story           a file of either kind into a journal, and what could not be read

Everything here reads files that anybody may have made: it refuses in words or passes over, and is bounded in size.
"""
