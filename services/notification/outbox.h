/* outbox.h - the loop's side of delivery: hands claimed mails to the transport and reports their ends to the
 * next turn. */
#ifndef NOTIFICATION_OUTBOX_H
#define NOTIFICATION_OUTBOX_H

#include "daemon/service.h"

/* The hooks of the service. */
int outbox_start(struct av_daemon *daemon);
void outbox_committed(struct av_daemon *daemon, uint64_t first, uint64_t last);
bool outbox_quiet(struct av_daemon *daemon);
bool outbox_busy(struct av_daemon *daemon);
void outbox_stop(struct av_daemon *daemon);

struct outbox;
struct known;
struct templates;
struct outbox *outbox_of(struct av_daemon *daemon);
struct known *outbox_known(struct outbox *outbox);
struct templates *outbox_templates(struct outbox *outbox);

/* For health. */
struct outbox_state {
	bool started;		      /* what an earlier run left behind was put right */
	unsigned int server_failures; /* in a row, of the server's making; 0: the last mail went through */
	int last_outcome;	      /* of those */
	int64_t failing_since_ms;
	size_t under_way;
};
struct outbox_state outbox_state(const struct outbox *outbox);

/* What health last found to be out of reach; see health.c. */
struct reach;
struct reach **outbox_reach(struct outbox *outbox);

#endif
