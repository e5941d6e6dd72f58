/* writer.h - the writer thread: one place to hand a batch over, one way to hear that it is done.
 *
 * The loop gives a batch only while the writer is idle; what arrives meanwhile becomes the next one. Between
 * turns, when nothing waits, the writer makes keys ahead and destroys doomed ones.
 */
#ifndef AVVIK_DAEMON_WRITER_H
#define AVVIK_DAEMON_WRITER_H

#include "daemon/turn.h"

struct av_batch {
	struct av_item *items;
	size_t count, room;
	int64_t now_ms;
	struct av_principals *principals; /* the table that the items' principals are of */
	/* after the turn */
	int status;
	struct av_turn_result result;
	int64_t took_us;
};

struct av_writer;
/* `wake` is called on the writer thread when a batch is done: uv_async_send and nothing else. */
int av_writer_start(
	struct av_turn *turn, void (*wake)(void *context), void *context, struct av_writer **ret_writer);
/* Lets the turn under way end. */
void av_writer_stop(struct av_writer **writer);
void av_writer_give(struct av_writer *writer, struct av_batch *batch);
/* The batch that is done, once; NULL: none. */
struct av_batch *av_writer_done(struct av_writer *writer);
/* What the last upkeep came to, when it failed; AV_OK otherwise. */
int av_writer_upkeep_status(struct av_writer *writer);

#endif
