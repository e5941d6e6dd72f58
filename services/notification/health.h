/* health.h - is everybody told who should be? */
#ifndef NOTIFICATION_HEALTH_H
#define NOTIFICATION_HEALTH_H

#include "daemon/service.h"

struct reach;

void notification_health(struct av_daemon *daemon, struct av_txn *txn, struct av_arena *arena);
void notification_describe(void *stream); /* the placeholders of templates */
void reach_free(struct reach **reach);

#endif
