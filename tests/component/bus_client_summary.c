/* bus_client_summary.c - libavvik's copy of a summary, against a daemon's stream and its snapshots. */
#include <inttypes.h>
#include <string.h>
#include <unistd.h>
#include "base/arena.h"
#include "base/status.h"
#include "bus_client_world.h"

static void publish(struct daemon *d)
{
	struct av_arena *arena = av_arena_create(0);
	(void)av_socket_publish(
		d->stream, av_bytes_of("summary/north/"), av_message_pack(&d->update->base, arena));
	av_arena_destroy(&arena);
}

/* The figure grows by one in the daemon; `told`: on the stream too. */
static void change(struct daemon *d, size_t index, bool told)
{
	char text[20];
	Avvik__V1__SummaryUpdate update = AVVIK__V1__SUMMARY_UPDATE__INIT;
	Avvik__V1__FigureChange one = AVVIK__V1__FIGURE_CHANGE__INIT, *changes[] = {&one};
	Avvik__V1__FigureKey key = daemon_figure_key(index, text);
	pthread_mutex_lock(&d->lock);
	update.unit = (char *)"north";
	update.epoch_id = (ProtobufCBinaryData){16, d->epoch};
	update.previous_sequence = d->sequence;
	update.sequence = ++d->sequence;
	update.changes = changes;
	update.n_changes = 1;
	one.key = &key;
	one.change = 1;
	one.value = ++d->figures[index];
	d->update = &update;
	pthread_mutex_unlock(&d->lock);
	if (told)
		daemon_on_loop(d, publish);
}

static struct av_summary_stream *open_stream(struct daemon *d, const char *const *units, int heartbeat_ms)
{
	struct av_summary_options options = {.command = daemon_options(d, ALICE, d->command_endpoint),
		.stream_endpoint = d->stream_endpoint,
		.units = units,
		.heartbeat_ms = heartbeat_ms};
	struct av_summary_stream *stream = NULL;
	assert_int_equal(av_summary_open(&options, &stream), AV_OK);
	return stream;
}

static const char *const north[] = {"north", NULL};

/* The next update: how many changes it has. */
static size_t next(struct av_summary_stream *stream, bool want_snapshot)
{
	Avvik__V1__SummaryUpdate *update = NULL;
	bool snapshot = !want_snapshot;
	int status = av_summary_next(stream, 3000, &update, &snapshot);
	if (status != AV_OK)
		fail_msg("got %s, want an update", av_status_name(status));
	assert_int_equal(snapshot, want_snapshot);
	assert_string_equal(update->unit, "north");
	size_t changes = update->n_changes;
	avvik__v1__summary_update__free_unpacked(update, NULL);
	return changes;
}

static void want_copy(struct daemon *d, struct av_summary_stream *stream)
{
	static int64_t want[FIGURES_MAX];
	pthread_mutex_lock(&d->lock);
	memcpy(want, d->figures, sizeof(want));
	pthread_mutex_unlock(&d->lock);
	for (size_t i = 0; i < d->figure_count; i++) {
		char text[20];
		Avvik__V1__FigureKey key = daemon_figure_key(i, text);
		int64_t got = av_summary_value(stream, &key);
		if (got != want[i])
			fail_msg("figure %zu: got %" PRId64 ", want %" PRId64, i, got, want[i]);
	}
}

static void prepare_figures(struct daemon *d, size_t count)
{
	pthread_mutex_lock(&d->lock);
	d->figure_count = count;
	d->sequence = 100;
	memset(d->epoch, 5, sizeof(d->epoch));
	for (size_t i = 0; i < count; i++)
		d->figures[i] = (int64_t)i + 1;
	pthread_mutex_unlock(&d->lock);
}

static unsigned int snapshots(struct daemon *d)
{
	pthread_mutex_lock(&d->lock);
	unsigned int count = d->snapshots;
	pthread_mutex_unlock(&d->lock);
	return count;
}

static void forbid(struct daemon *d)
{
	d->unit_forbidden = true;
}

static void turn_between_pages(struct daemon *d)
{
	d->turn = true;
}

static void begin_epoch(struct daemon *d)
{
	memset(d->epoch, 9, sizeof(d->epoch));
	d->sequence = 3;
}

static void the_copy_starts_with_a_snapshot_of_all_pages_and_follows_the_stream(void **state)
{
	struct daemon *d = *state;
	prepare_figures(d, FIGURES_MAX);
	struct av_summary_stream *stream = open_stream(d, north, 0);
	assert_int_equal(next(stream, true), FIGURES_MAX);
	want_copy(d, stream);
	usleep(200000); /* the subscription is under way */
	for (size_t i = 0; i < 20; i++) {
		change(d, i, true);
		assert_int_equal(next(stream, false), 1);
	}
	want_copy(d, stream);
	assert_int_equal(av_summary_gaps(stream), 0);
	assert_int_equal(snapshots(d), 1);
	av_summary_close(&stream);
}

static void a_gap_is_repaired_before_anything_more_is_seen(void **state)
{
	struct daemon *d = *state;
	prepare_figures(d, 10);
	struct av_summary_stream *stream = open_stream(d, north, 0);
	next(stream, true);
	usleep(200000);
	change(d, 1, true);
	assert_int_equal(next(stream, false), 1);
	change(d, 2, false); /* lost */
	change(d, 3, false); /* lost */
	change(d, 4, true);
	change(d, 5, true);
	assert_int_equal(next(stream, true), 4); /* all that differs; what waits on the stream is in it */
	want_copy(d, stream);
	change(d, 6, true);
	assert_int_equal(next(stream, false), 1);
	want_copy(d, stream);
	assert_int_equal(av_summary_gaps(stream), 1);
	av_summary_close(&stream);
}

static void a_change_lost_at_the_end_is_found_when_the_stream_is_silent(void **state)
{
	struct daemon *d = *state;
	prepare_figures(d, 10);
	struct av_summary_stream *stream = open_stream(d, north, 200);
	Avvik__V1__SummaryUpdate *update;
	bool snapshot;
	next(stream, true);
	assert_int_equal(av_summary_next(stream, 500, &update, &snapshot), AV_TIMEOUT);
	assert_true(snapshots(d) > 1); /* looked, and found nothing */
	change(d, 2, false);
	assert_int_equal(next(stream, true), 1);
	want_copy(d, stream);
	assert_int_equal(av_summary_gaps(stream), 1);
	av_summary_close(&stream);
}

static void a_new_epoch_is_a_gap(void **state)
{
	struct daemon *d = *state;
	prepare_figures(d, 10);
	struct av_summary_stream *stream = open_stream(d, north, 0);
	next(stream, true);
	usleep(200000);
	daemon_on_loop(d, begin_epoch);
	change(d, 1, true);
	assert_int_equal(next(stream, true), 1);
	want_copy(d, stream);
	change(d, 2, true);
	assert_int_equal(next(stream, false), 1);
	av_summary_close(&stream);
}

static void a_snapshot_that_changes_between_its_pages_is_begun_again(void **state)
{
	struct daemon *d = *state;
	prepare_figures(d, FIGURES_MAX);
	daemon_on_loop(d, turn_between_pages);
	struct av_summary_stream *stream = open_stream(d, north, 0);
	assert_int_equal(next(stream, true), FIGURES_MAX);
	want_copy(d, stream);
	assert_int_equal(snapshots(d), 2);
	av_summary_close(&stream);
}

static void without_units_each_unit_is_met_on_the_stream(void **state)
{
	struct daemon *d = *state;
	prepare_figures(d, 10);
	struct av_summary_stream *stream = open_stream(d, NULL, 0);
	Avvik__V1__SummaryUpdate *update;
	bool snapshot;
	assert_int_equal(av_summary_next(stream, 200, &update, &snapshot), AV_TIMEOUT);
	change(d, 1, true);
	assert_int_equal(next(stream, true), 10);
	want_copy(d, stream);
	av_summary_close(&stream);
}

static void a_unit_that_may_not_be_read_is_told(void **state)
{
	struct daemon *d = *state;
	prepare_figures(d, 10);
	daemon_on_loop(d, forbid);
	struct av_summary_stream *stream = open_stream(d, north, 0);
	Avvik__V1__SummaryUpdate *update;
	bool snapshot;
	assert_int_equal(av_summary_next(stream, 3000, &update, &snapshot), AV_FORBIDDEN);
	av_summary_close(&stream);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		daemon_test(the_copy_starts_with_a_snapshot_of_all_pages_and_follows_the_stream),
		daemon_test(a_gap_is_repaired_before_anything_more_is_seen),
		daemon_test(a_change_lost_at_the_end_is_found_when_the_stream_is_silent),
		daemon_test(a_new_epoch_is_a_gap),
		daemon_test(a_snapshot_that_changes_between_its_pages_is_begun_again),
		daemon_test(without_units_each_unit_is_met_on_the_stream),
		daemon_test(a_unit_that_may_not_be_read_is_told),
	};
	return cmocka_run_group_tests_name("bus_client_summary", tests, NULL, NULL);
}
