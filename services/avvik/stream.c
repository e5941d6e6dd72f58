/* stream.c - avvik stream: follow the summary stream. */
#include <stdlib.h>
#include <string.h>

#include "ask.h"
#include "base/clock.h"
#include "base/status.h"
#include "subcommands.h"
#include "wire/json.h"

#define UNITS_MAX 64
#define LOOK_MS 500 /* how soon Ctrl-C and the end are seen */

static void change_print(struct tool *tool, const Avvik__V1__SummaryUpdate *update,
	const Avvik__V1__FigureChange *change, bool snapshot)
{
	const Avvik__V1__FigureKey *key = change->key;
	const char *what = av_arena_printf(tool->arena, "%s%s%s%s%s%s%s",
		ask_words(tool, &avvik__v1__measurement__descriptor, (int)key->measurement),
		key->kind ? ", " : "", ask_words(tool, &avvik__v1__case_kind__descriptor, (int)key->kind),
		key->degree ? ", " : "", ask_words(tool, &avvik__v1__degree__descriptor, (int)key->degree),
		*key->deadline ? ", " : "", key->deadline);

	printf("%s  %-20s %-10s  %s: %+lld -> %lld%s\n", tool_time(tool, update->sent_at_ms), update->unit,
		*key->period ? key->period : "now", what, (long long)change->change, (long long)change->value,
		snapshot ? "  (snapshot)" : "");
}

static void update_print(struct tool *tool, const Avvik__V1__SummaryUpdate *update, bool snapshot, int span)
{
	if (tool->json) {
		if (update->n_changes || snapshot)
			printf("%s\n", av_json_text(&update->base, 0, tool->arena));
	} else {
		for (size_t i = 0; i < update->n_changes; i++)
			if (update->changes[i]->key && (!span || (int)update->changes[i]->key->span == span))
				change_print(tool, update, update->changes[i], snapshot);
	}
	fflush(stdout);
}

static int stream_follow(struct tool *tool, struct av_summary_stream *stream, int span, int64_t seconds)
{
	int64_t end = seconds ? av_clock_monotonic_ms() + seconds * 1000 : INT64_MAX;
	uint64_t gaps = 0;

	while (!ask_interrupted() && av_clock_monotonic_ms() < end) {
		Avvik__V1__SummaryUpdate *update = NULL;
		bool snapshot = false;
		int status = av_summary_next(stream, LOOK_MS, &update, &snapshot);
		if (status == AV_TIMEOUT)
			continue;
		if (status < 0)
			return tool_fail(EXIT_AWAY,
				"the stream ends: %s: is reporting running, and has the key the right "
				"`summary` for these units?",
				av_status_text(status));
		update_print(tool, update, snapshot, span);
		avvik__v1__summary_update__free_unpacked(update, NULL);
		if (av_summary_gaps(stream) != gaps && !tool->json)
			fprintf(stderr, "avvik: a gap was repaired from the snapshot\n");
		gaps = av_summary_gaps(stream);
	}
	return EXIT_DONE;
}

int command_stream(struct tool *tool, int argc, char **argv)
{
	const char *units[UNITS_MAX + 1] = {NULL}, *span = NULL;
	int64_t seconds = 0;
	const struct tool_option words[] = {{"span", OPTION_TEXT, &span}, {"for", OPTION_NUMBER, &seconds}};
	struct av_summary_options options = {0};
	struct av_summary_stream *stream = NULL;
	int value = 0;

	int count = tool_options(tool, argc, argv, words, AV_COUNT(words), units, UNITS_MAX);
	if (count < 0 || !tool_settings(tool))
		return EXIT_USAGE;
	if (span && ask_enum(tool, "--span", &avvik__v1__span__descriptor, span, &value) != AV_OK)
		return EXIT_USAGE;
	const Avvik__V1__Endpoints *endpoints = tool_endpoints(tool, DAEMON_REPORTING);
	if (!tool_client_options(tool, DAEMON_REPORTING, endpoints->command, &options.command))
		return EXIT_USAGE;
	options.stream_endpoint = endpoints->stream;
	options.units = count ? units : NULL;
	int status = av_summary_open(&options, &stream);
	if (status < 0)
		return tool_fail(EXIT_AWAY, "cannot follow the stream at %s: %s", endpoints->stream,
			av_status_text(status));
	ask_interrupts();
	int code = stream_follow(tool, stream, value, seconds);
	av_summary_close(&stream);
	return code;
}
