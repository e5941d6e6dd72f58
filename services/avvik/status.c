/* status.c - avvik status: health in plain words; the exit code is for monitoring. */
#include <string.h>

#include "base/status.h"
#include "health.h"
#include "status_reach.h"
#include "subcommands.h"
#include "table.h"
#include "wire/json.h"

static const char *counted(struct tool *tool, uint64_t number)
{
	return av_arena_printf(tool->arena, "%llu", (unsigned long long)number);
}

static const char *feeds_text(struct tool *tool, const Avvik__V1__StatusFound *status)
{
	const char *text = "";

	for (size_t i = 0; i < status->n_feeds; i++) {
		const Avvik__V1__FeedStatus *feed = status->feeds[i];
		uint64_t reached = feed->cursor ? feed->cursor->sequence : 0;
		uint64_t behind = feed->head > reached ? feed->head - reached : 0;
		const char *state = feed->halted       ? "halted"
				    : !feed->connected ? "away"
				    : behind	       ? NULL
						       : "in step";
		text = state ? av_arena_printf(
				       tool->arena, "%s%s%s %s", text, *text ? ", " : "", feed->name, state)
			     : av_arena_printf(tool->arena, "%s%s%s %llu behind", text, *text ? ", " : "",
				       feed->name, (unsigned long long)behind);
	}
	return text;
}

static const char *store_text(struct tool *tool, const Avvik__V1__StatusFound *status)
{
	const Avvik__V1__StoreStatus *store = status->store;
	if (!store || !store->map_bytes)
		return "";
	return av_arena_printf(tool->arena, "%.1f MiB, %.1f %%", (double)store->used_bytes / 1048576.0,
		100.0 * (double)store->used_bytes / (double)store->map_bytes);
}

static void metric_print(const struct health *health, const Avvik__V1__Metric *like)
{
	if (*like->help)
		printf("# HELP avvik_%s %s\n", like->name, like->help);
	printf("# TYPE avvik_%s %s\n", like->name, like->counter ? "counter" : "gauge");
	for (int daemon = 0; daemon < DAEMON_COUNT; daemon++) {
		const Avvik__V1__StatusFound *status = health_of(health, daemon);
		for (size_t i = 0; status && i < status->n_metrics; i++) {
			const Avvik__V1__Metric *metric = status->metrics[i];
			if (strcmp(metric->name, like->name) == 0)
				printf("avvik_%s{daemon=\"%s\"%s%s} %.17g\n", metric->name, status->daemon,
					*metric->labels ? "," : "", metric->labels, metric->value);
		}
	}
}

/* Is it the first of its name? */
static bool metric_new(const struct health *health, int daemon, size_t at)
{
	const char *name = health_of(health, daemon)->metrics[at]->name;

	for (int before = 0; before <= daemon; before++) {
		const Avvik__V1__StatusFound *status = health_of(health, before);
		for (size_t i = 0; status && i < (before < daemon ? status->n_metrics : at); i++)
			if (strcmp(status->metrics[i]->name, name) == 0)
				return false;
	}
	return true;
}

/* Prometheus wants all values of a name together, below one HELP and one TYPE. */
static void metrics_print(const struct health *health)
{
	printf("# HELP avvik_up Does the daemon answer?\n# TYPE avvik_up gauge\n");
	for (int daemon = 0; daemon < DAEMON_COUNT; daemon++)
		printf("avvik_up{daemon=\"%s\"} %d\n", daemon_names[daemon],
			health_of(health, daemon) != NULL);
	printf("# HELP avvik_health_issues What wants attention.\n# TYPE avvik_health_issues gauge\n");
	for (int daemon = 0; daemon < DAEMON_COUNT; daemon++)
		if (health_of(health, daemon))
			printf("avvik_health_issues{daemon=\"%s\"} %zu\n", daemon_names[daemon],
				health_of(health, daemon)->n_issues);
	for (int daemon = 0; daemon < DAEMON_COUNT; daemon++) {
		const Avvik__V1__StatusFound *status = health_of(health, daemon);
		for (size_t i = 0; status && i < status->n_metrics; i++)
			if (metric_new(health, daemon, i))
				metric_print(health, status->metrics[i]);
	}
}

static void daemons_print(struct tool *tool, const struct health *health)
{
	static const char *const headings[] = {
		"daemon", "state", ">journal", "feeds", ">store", "next due", NULL};
	struct table *table = table_create(headings);

	for (int daemon = 0; daemon < DAEMON_COUNT; daemon++) {
		const Avvik__V1__StatusFound *status = health_of(health, daemon);
		if (!status) {
			table_row(table, (const char *const[]){daemon_names[daemon], "away", "", "", "", ""});
			continue;
		}
		table_row(table, (const char *const[]){status->daemon,
					 status->draining ? "draining"
					 : status->quiet  ? "quiet"
							  : "at work",
					 counted(tool, status->head), feeds_text(tool, status),
					 store_text(tool, status), tool_time(tool, status->next_due_ms)});
	}
	table_print(&table);
}

static int issues_print(struct tool *tool, const struct health *health)
{
	int count = 0;

	for (int daemon = 0; daemon < DAEMON_COUNT; daemon++) {
		const Avvik__V1__StatusFound *status = health_of(health, daemon);
		for (size_t i = 0; status && i < status->n_issues; i++, count++) {
			const Avvik__V1__HealthIssue *issue = status->issues[i];
			printf("%s%s, %s: %s%s%s%s\n", count ? "" : "\n", status->daemon,
				issue->severity == AVVIK__V1__SEVERITY__SEVERITY_CRITICAL ? "CRITICAL"
											  : "warning",
				issue->text, issue->since_ms ? " (since " : "",
				tool_time(tool, issue->since_ms), issue->since_ms ? ")" : "");
		}
	}
	return count;
}

int command_status(struct tool *tool, int argc, char **argv)
{
	bool metrics = false;
	const struct tool_option words[] = {{"metrics", OPTION_FLAG, &metrics}};
	struct health health;
	int away = 0, issues = 0;

	if (tool_options(tool, argc, argv, words, AV_COUNT(words), NULL, 0) < 0 || !tool_settings(tool))
		return EXIT_USAGE;
	health_ask(tool, &health);
	for (int daemon = 0; daemon < DAEMON_COUNT; daemon++) {
		const Avvik__V1__StatusFound *status = health_of(&health, daemon);
		away += !status;
		issues += status ? (int)status->n_issues : 0;
	}
	if (metrics) {
		metrics_print(&health);
	} else if (tool->json) {
		printf("[");
		for (int daemon = 0, first = 1; daemon < DAEMON_COUNT; daemon++) {
			const Avvik__V1__StatusFound *status = health_of(&health, daemon);
			const char *text = status ? av_json_text(&status->base, 2, tool->arena) : NULL;
			if (text)
				printf("%s%s", first ? "" : ",\n", text);
			first = first && !text;
		}
		printf("]\n");
	} else {
		printf("instance %s, %s (%s clock)\n\n", tool->settings->instance,
			tool_time(tool, tool_now_ms(tool)), tool->settings->clock);
		daemons_print(tool, &health);
		issues_print(tool, &health);
		if (health_of(&health, DAEMON_WORKFLOW))
			status_reach(tool);
		if (away)
			printf("\n%d of %d daemons away: start what is stopped, and see its log; when it "
			       "runs,\n"
			       "are its address in the settings and the key \"%s\" in principals.yaml "
			       "right?\n",
				away, DAEMON_COUNT, tool->key_name);
		if (!away && !issues)
			printf("\nall is well\n");
	}
	health_free(&health);
	return away ? EXIT_AWAY : issues ? EXIT_REFUSED : EXIT_DONE;
}
