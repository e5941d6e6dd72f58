/* writer.c - see writer.h */
#include "daemon/writer.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"

#define STACK_BYTES ((size_t)1024 * 1024)
#define UPKEEP_AT_LEAST_EVERY 64 /* turns, under a load that never ends */
#define UPKEEP_RETRY_S 5

struct av_writer {
	struct av_turn *turn;
	void (*wake)(void *context);
	void *context;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t given;
	struct av_batch *slot, *done;
	bool stop;
	_Atomic int upkeep_status;
};

static struct av_batch *next_batch(struct av_writer *writer, bool *upkeep)
{
	pthread_mutex_lock(&writer->lock);
	int failed = atomic_load(&writer->upkeep_status);
	while (!writer->slot && !writer->stop && (!*upkeep || failed < 0)) {
		if (!*upkeep) {
			pthread_cond_wait(&writer->given, &writer->lock);
			continue;
		}
		struct timespec until;
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_sec += UPKEEP_RETRY_S;
		if (pthread_cond_timedwait(&writer->given, &writer->lock, &until) != 0)
			break;
	}
	struct av_batch *batch = writer->slot;
	writer->slot = NULL;
	pthread_mutex_unlock(&writer->lock);
	return batch;
}

static bool stopping(struct av_writer *writer)
{
	pthread_mutex_lock(&writer->lock);
	bool stop = writer->stop && !writer->slot;
	pthread_mutex_unlock(&writer->lock);
	return stop;
}

static void *run(void *context)
{
	struct av_writer *writer = context;
	bool upkeep = true; /* what the start could not do */
	int turns = 0;
	while (!stopping(writer)) {
		struct av_batch *batch = next_batch(writer, &upkeep);
		if (batch) {
			int64_t started_us = av_clock_monotonic_us();
			batch->status = av_turn_run(
				writer->turn, batch->items, batch->count, batch->now_ms, &batch->result);
			batch->took_us = av_clock_monotonic_us() - started_us;
			upkeep |= batch->result.keys_low || batch->result.doomed;
			pthread_mutex_lock(&writer->lock);
			writer->done = batch;
			pthread_mutex_unlock(&writer->lock);
			writer->wake(writer->context);
			if (!upkeep || ++turns < UPKEEP_AT_LEAST_EVERY)
				continue;
		}
		if (upkeep) {
			turns = 0;
			int status = av_turn_upkeep(writer->turn, 0);
			atomic_store(&writer->upkeep_status, AV_MIN(status, AV_OK));
			upkeep = status != AV_NOTHING; /* again, until there is nothing left to do */
		}
	}
	return NULL;
}

int av_writer_start(
	struct av_turn *turn, void (*wake)(void *context), void *context, struct av_writer **ret_writer)
{
	struct av_writer *writer = calloc(1, sizeof *writer);
	pthread_attr_t attributes;
	sigset_t all, before;
	if (!writer)
		return AV_MEMORY;
	*writer = (struct av_writer){.turn = turn, .wake = wake, .context = context};
	pthread_mutex_init(&writer->lock, NULL);
	pthread_cond_init(&writer->given, NULL);
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_BYTES);
	sigfillset(&all); /* signals are the loop's */
	pthread_sigmask(SIG_BLOCK, &all, &before);
	int rc = pthread_create(&writer->thread, &attributes, run, writer);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attributes);
	if (rc != 0) {
		pthread_cond_destroy(&writer->given);
		pthread_mutex_destroy(&writer->lock);
		free(writer);
		return AV_MEMORY;
	}
	*ret_writer = writer;
	return AV_OK;
}

void av_writer_stop(struct av_writer **writer)
{
	struct av_writer *stopped = *writer;
	if (!stopped)
		return;
	*writer = NULL;
	pthread_mutex_lock(&stopped->lock);
	stopped->stop = true;
	pthread_cond_signal(&stopped->given);
	pthread_mutex_unlock(&stopped->lock);
	pthread_join(stopped->thread, NULL);
	pthread_cond_destroy(&stopped->given);
	pthread_mutex_destroy(&stopped->lock);
	free(stopped);
}

void av_writer_give(struct av_writer *writer, struct av_batch *batch)
{
	pthread_mutex_lock(&writer->lock);
	writer->slot = batch;
	pthread_cond_signal(&writer->given);
	pthread_mutex_unlock(&writer->lock);
}

struct av_batch *av_writer_done(struct av_writer *writer)
{
	pthread_mutex_lock(&writer->lock);
	struct av_batch *batch = writer->done;
	writer->done = NULL;
	pthread_mutex_unlock(&writer->lock);
	return batch;
}

int av_writer_upkeep_status(struct av_writer *writer)
{
	return atomic_load(&writer->upkeep_status);
}
