/* Every ceiling of the detectors on one page: whatever a stranger on the Internet can make grow has a named limit here.
 * What does not fit is refused and counted (detectors_refused()); nothing old and confirmed is thrown out for it.
 */
#pragma once

enum {
	/* victims: hosts that answered lately. 200 bytes each. */
	LIMIT_VICTIMS = 1 << 18,
	/* ports told apart of one victim; the rest is summed */
	LIMIT_VICTIM_PORTS = 6,

	/* scanners: (source, protocol, port) of the last 480 s. 72 bytes each. */
	LIMIT_SCANNER_TRACKS = 1 << 22,

	/* campaigns: sources of the open window. 104 bytes each. */
	LIMIT_CAMPAIGN_SOURCES = 1 << 21,
	/* ports told apart of one source; a source of more is "many ports" and known by its lowest-hashed ones */
	LIMIT_SOURCE_PORTS = 8,
	/* groups of sources (fingerprint and port set) that are compared with one another, largest first */
	LIMIT_CAMPAIGN_GROUPS = 1 << 14,
	/* groups that go into the factorisation by time */
	LIMIT_CAMPAIGN_ROWS = 256,
	/* campaigns that are followed */
	LIMIT_CAMPAIGNS = 1 << 12,
	LIMIT_CAMPAIGN_PORTS = 32,
	LIMIT_CAMPAIGN_SAMPLE = 8,

	/* worms: (protocol, port, fingerprint) that two sources or more showed. 650 bytes each. */
	LIMIT_WORM_TRACKS = 1 << 14,

	/* changes: series of ports. 2,000 bytes each. */
	LIMIT_CHANGE_SERIES = 1 << 14,

	/* intervals that are closed one by one after a leap in time; a longer silence starts the histories anew */
	LIMIT_LEAP_INTERVALS = 1024,

	/* livenet: members' addresses with an open alert. 192 bytes each. */
	LIMIT_LIVENET_ALERTS = 1 << 18,
	LIMIT_LIVENET_PORTS = 8,

	/* findings in a batch on its way out */
	FINDINGS_BATCH_ROWS = 1024,
};
