/* health.h - what GetStatus answers. */
#ifndef AVVIK_DAEMON_HEALTH_H
#define AVVIK_DAEMON_HEALTH_H

#include "avvik/v1/admin.pb-c.h"
#include "daemon/service.h"

/* The store's part of a status, and with ctx->daemon the loop's: queue, feeds, issues, metrics. */
int status_fill(struct av_ctx *ctx, Avvik__V1__StatusFound *found);
const struct av_service *ctx_service(const struct av_ctx *ctx); /* whose item it is */

#endif
