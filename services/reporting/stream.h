/* stream.h - the summary stream: what the journal's new events did to the figures, told on XPUB after the
 * commit. */
#ifndef REPORTING_STREAM_H
#define REPORTING_STREAM_H

#include "daemon/service.h"

int stream_start(struct av_daemon *daemon);
void stream_committed(struct av_daemon *daemon, uint64_t first, uint64_t last);
bool stream_may_subscribe(
	struct av_daemon *daemon, const struct av_principal *principal, struct av_bytes topic);
void stream_stop(struct av_daemon *daemon);
void stream_health(struct av_daemon *daemon, struct av_txn *txn, struct av_arena *arena);

#endif
