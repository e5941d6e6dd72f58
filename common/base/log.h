/* log.h - levelled key=value lines on standard error, with a journald priority prefix when under systemd.
 *
 * Only the shell of a program logs; rules and libraries return. Values are quoted when they need it. No
 * content and no personal data is ever a value: ids, codes, numbers and status names only.
 *
 *	av_log(AV_LOG_WARN, "feed refused", "feed=%s sequence=%llu", name, seq);
 *	-> level=warn daemon=workflow msg="feed refused" feed=intake sequence=17
 */
#ifndef AVVIK_BASE_LOG_H
#define AVVIK_BASE_LOG_H

#include "base/macros.h"

enum av_log_level { AV_LOG_DEBUG, AV_LOG_INFO, AV_LOG_WARN, AV_LOG_ERROR };

/* `daemon` must live as long as the process. */
void av_log_open(const char *daemon, enum av_log_level lowest);
/* "debug", "info", "warn", "error"; AV_INVALID otherwise. */
int av_log_level_parse(const char *text, enum av_log_level *ret_level);
void av_log(enum av_log_level level, const char *message, const char *pairs_format, ...) AV_PRINTF(3, 4);

#endif
