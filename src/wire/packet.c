/* The burst parser. See packet.h for what it gives. */
#include "wire/packet.h"

#include "core/cursor.h"

const char *const packet_anomaly_names[PACKET_ANOMALIES] = {
	[ANOMALY_NONE] = "none",
	[ANOMALY_LINK_TRUNCATED] = "link_truncated",
	[ANOMALY_LINK_UNKNOWN] = "link_unknown",
	[ANOMALY_NOT_IP] = "not_ip",
	[ANOMALY_IP_TRUNCATED] = "ip_truncated",
	[ANOMALY_IP_VERSION] = "ip_version",
	[ANOMALY_IP_HEADER_LENGTH] = "ip_header_length",
	[ANOMALY_IP_TOTAL_LENGTH] = "ip_total_length",
	[ANOMALY_IPV6_EXTENSION] = "ipv6_extension",
	[ANOMALY_L4_TRUNCATED] = "l4_truncated",
	[ANOMALY_TCP_HEADER_LENGTH] = "tcp_header_length",
	[ANOMALY_TCP_OPTIONS] = "tcp_options",
	[ANOMALY_UDP_LENGTH] = "udp_length",
	[ANOMALY_ICMP_QUOTE_TRUNCATED] = "icmp_quote_truncated",
	[ANOMALY_TUNNEL_DEPTH] = "tunnel_depth",
	[ANOMALY_FRAGMENT_OVERLAP] = "fragment_overlap",
};
