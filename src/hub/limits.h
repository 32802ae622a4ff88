/* Whatever a stranger can make grow, on one page. */
#pragma once

enum {
	/* front: HTTP */
	LIMIT_CONNECTIONS = 4096,
	LIMIT_CONNECTIONS_OF_ONE = 1024, /* per address; a reverse proxy is one */
	LIMIT_IDLE_S = 30,               /* a connection on which nothing moves */
	LIMIT_HEADER_BYTES = 32 << 10,   /* request line, headers and working memory of a connection */
	LIMIT_PATH_BYTES = 2048,
	LIMIT_QUERY_BYTES = 16 << 10,
	LIMIT_HEADER_VALUE_BYTES = 1024,        /* of a token or cookie */
	LIMIT_BODY_BYTES = 1 << 20,             /* of a request */
	LIMIT_BATCHES_BODY_BYTES = 64 << 20,    /* of POST /batches */
	LIMIT_TAXII_BODY_BYTES = 16 << 20,      /* of what is posted to a TAXII collection */
	LIMIT_INDICATORS_BODY_BYTES = 32 << 20, /* of POST /indicators/import */
	LIMIT_MEMBERS_BODY_BYTES = 32 << 20,    /* of POST /members/import */
	LIMIT_BODY_S = 60,                      /* for sending it */
	LIMIT_BODIES_BYTES = 256 << 20,         /* of all requests together */
	LIMIT_ANSWER_S = 120,                   /* for the keeper to begin its answer */
	LIMIT_WAITING_REQUESTS = 1024,
	LIMIT_LIVE_CLIENTS = 1000,
	LIMIT_ASSETS_BYTES = 256 << 20, /* of the pages */

	/* between front and keeper */
	LIMIT_MESSAGE_BYTES = 60 << 10,
	LIMIT_CREDITS = 16, /* messages of one answer that may lie unsent in the front */
	LIMIT_STALL_S = 30, /* a download that takes nothing for so long is ended */

	/* keeper */
	LIMIT_WORKERS = 4,
	LIMIT_DOWNLOADS = 2, /* long answers at a time, so that short ones find a worker */
	LIMIT_CALLS_QUEUED = 256,
	LIMIT_ANSWER_ROWS = 100000,   /* of a query answered at once; downloads stream as many as there are */
	LIMIT_LIVE_ARCS = 250,        /* of one frame */
	LIMIT_BATCH_BYTES = 32 << 20, /* one encoded batch */
	LIMIT_INGEST_QUEUE = 16,      /* requests with batches that wait for the ingest thread */
	LIMIT_SENSORS = 64,
	LIMIT_ANOMALIES = 64, /* names of malformed packets that a sensor elsewhere may count */
	LIMIT_JSON_DEPTH = 64,
	LIMIT_FINDINGS_CLOSED = 500, /* at once */
	LIMIT_EVIDENCE_ROWS = 1000,  /* of sightings, whose packets are the evidence of a finding */
	LIMIT_EVIDENCE_BYTES = 1 << 20,
	LIMIT_TAXII_PAGE = 1000,          /* objects of a page */
	LIMIT_TAXII_PAGE_BYTES = 8 << 20, /* a page ends after the object that passes this */
	LIMIT_FEEDS_KEPT = 32,            /* rendered feeds that wait to be asked for again */
	LIMIT_FEEDS_BYTES = 128 << 20,    /* of all of them, and of the largest */
	LIMIT_RECEIPTS = 4096,            /* readers and questions whose receipts are remembered */
	LIMIT_TAXII_STATUSES = 256,       /* answers to POST that can be asked for again */
	LIMIT_FLOW_FILE_BYTES = 32 << 20, /* what the collector writes of its exporters */
	LIMIT_FLOW_ROWS = 10000,          /* of an answer about flows */
	LIMIT_FLOW_QUERY_S = 30,          /* that a question to the archive of flows may take */
	LIMIT_FLOW_SERIES = 1000,         /* exporters in /metrics */
	LIMIT_SESSION_DAYS = 14,
	LIMIT_LINK_HOURS = 24,

	/* rings between sensors and keeper */
	LIMIT_RING_BYTES = 128 << 20,
	LIMIT_LIVE_RING_BYTES = 4 << 20,
	LIMIT_SIGHTING_RING_BYTES = 8 << 20,
	LIMIT_MEMBER_PREFIXES = 1 << 20, /* that sensors look for */
};
