/* quarantine.c - avvik quarantine: events that could not be handled, and feeds that halted.
 *
 * Both are the consumer's. Most often only one daemon can be meant, and it is found; else --daemon says
 * which.
 */
#include <stdlib.h>
#include <string.h>

#include "ask.h"
#include "base/status.h"
#include "health.h"
#include "subcommands.h"
#include "table.h"

static Avvik__V1__Reply *listed(struct tool *tool, enum tool_daemon daemon, int *ret_code)
{
	Avvik__V1__ListQuarantine query = AVVIK__V1__LIST_QUARANTINE__INIT;
	Avvik__V1__Reply *reply = NULL;

	if (!ask(tool, daemon, AVVIK__V1__COMMAND__BODY_LIST_QUARANTINE, &query.base, &reply, ret_code))
		return NULL;
	if (reply->body_case != AVVIK__V1__REPLY__BODY_QUARANTINE_FOUND)
		tool_reply_free(&reply);
	return reply;
}

/* How each daemon's feeds stand, when one does not go on. */
static size_t halted_print(struct tool *tool, const struct health *health, struct table *table)
{
	size_t count = 0;

	for (int daemon = 0; daemon < DAEMON_COUNT; daemon++) {
		const Avvik__V1__StatusFound *status = health_of(health, daemon);
		for (size_t i = 0; status && i < status->n_feeds; i++) {
			const Avvik__V1__FeedStatus *feed = status->feeds[i];
			if (!feed->halted)
				continue;
			table_row(table,
				(const char *const[]){daemon_names[daemon], feed->name,
					feed->cursor ? ask_number(tool, (int64_t)feed->cursor->sequence) : "",
					ask_number(tool, (int64_t)feed->head)});
			count++;
		}
	}
	return count;
}

static int quarantine_list(struct tool *tool)
{
	static const char *const headings[] = {"daemon", "feed", ">sequence", "event", "case", "first",
		">attempts", "state", "+cause", NULL};
	static const char *const halts[] = {"daemon", "feed that halted", ">reached", ">head", NULL};
	struct table *table = tool->json ? NULL : table_create(headings);
	struct json_list list = {0};
	size_t count = 0;
	int code = EXIT_DONE;

	for (int daemon = 0; daemon < DAEMON_COUNT; daemon++) {
		Avvik__V1__Reply *reply = listed(tool, (enum tool_daemon)daemon, &code);
		for (size_t i = 0; reply && i < reply->quarantine_found->n_items; i++, count++) {
			const Avvik__V1__Quarantined *item = reply->quarantine_found->items[i];
			if (tool->json)
				json_list_item(&list, tool, &item->base);
			table_row(table,
				(const char *const[]){daemon_names[daemon], item->feed,
					av_arena_printf(
						tool->arena, "%llu", (unsigned long long)item->sequence),
					item->event, tool_id_text(tool, item->case_id),
					tool_time(tool, item->first_at_ms), ask_number(tool, item->attempts),
					item->waiting ? "waits behind another" : "set aside", item->cause});
		}
		tool_reply_free(&reply);
	}
	if (tool->json) {
		json_list_end(&list);
		return code;
	}
	struct health health;
	struct table *halted = table_create(halts);
	health_ask(tool, &health);
	size_t halted_count = halted_print(tool, &health, halted);
	health_free(&health);
	if (count)
		table_print(&table);
	if (halted_count) {
		printf("%s", count ? "\n" : "");
		table_print(&halted);
	}
	table_destroy(&table);
	table_destroy(&halted);
	if (!count && !halted_count && code == EXIT_DONE)
		printf("nothing is in quarantine, and every feed goes on\n");
	return code;
}

/* The one daemon that has this event in quarantine. */
static int holder_find(struct tool *tool, const char *feed, uint64_t sequence, enum tool_daemon *ret_daemon)
{
	int found = 0, code;

	for (int daemon = 0; daemon < DAEMON_COUNT; daemon++) {
		Avvik__V1__Reply *reply = listed(tool, (enum tool_daemon)daemon, &code);
		for (size_t i = 0; reply && i < reply->quarantine_found->n_items; i++) {
			const Avvik__V1__Quarantined *item = reply->quarantine_found->items[i];
			if (item->sequence != sequence || strcmp(item->feed, feed) != 0)
				continue;
			*ret_daemon = (enum tool_daemon)daemon;
			found++;
		}
		tool_reply_free(&reply);
	}
	if (found == 1)
		return AV_OK;
	tool_fail(0, "%s daemon has %s %llu in quarantine: `avvik quarantine` lists what there is%s",
		found ? "more than one" : "no", feed, (unsigned long long)sequence,
		found ? "; give --daemon" : "");
	return AV_NOT_FOUND;
}

static int event_resolve(struct tool *tool, int argc, char **argv)
{
	const char *rest[2] = {NULL, NULL}, *reason = "", *daemon_name = NULL;
	const struct tool_option words[] = {
		{"reason", OPTION_TEXT, &reason}, {"daemon", OPTION_TEXT, &daemon_name}};
	Avvik__V1__ResolveQuarantine order = AVVIK__V1__RESOLVE_QUARANTINE__INIT;
	Avvik__V1__Reply *reply = NULL;
	enum tool_daemon daemon;
	char *end;
	int code;

	int count = tool_options(tool, argc, argv, words, AV_COUNT(words), rest, 2);
	if (count < 0)
		return EXIT_USAGE;
	if (count != 2)
		return tool_usage("quarantine");
	if (!*reason)
		return tool_fail(EXIT_USAGE, "--reason is missing: say why; it is kept in the journal");
	order.feed = (char *)(uintptr_t)rest[0];
	order.sequence = strtoull(rest[1], &end, 10);
	if (*end || end == rest[1])
		return tool_fail(EXIT_USAGE, "\"%s\" is no sequence number", rest[1]);
	order.action = strcmp(argv[0], "drop") == 0 ? AVVIK__V1__QUARANTINE_ACTION__QUARANTINE_ACTION_DROP
						    : AVVIK__V1__QUARANTINE_ACTION__QUARANTINE_ACTION_RETRY;
	order.reason = (char *)(uintptr_t)reason;
	if ((daemon_name ? ask_daemon(daemon_name, &daemon)
			 : holder_find(tool, rest[0], order.sequence, &daemon)) != AV_OK)
		return EXIT_REFUSED;
	if (!ask(tool, daemon, AVVIK__V1__COMMAND__BODY_RESOLVE_QUARANTINE, &order.base, &reply, &code))
		return code;
	if (tool->json)
		tool_print_json(tool, &reply->base);
	else
		printf("%s: %s of %s is %s; what waited behind it follows\n", daemon_names[daemon], rest[1],
			rest[0],
			order.action == AVVIK__V1__QUARANTINE_ACTION__QUARANTINE_ACTION_DROP ? "dropped"
											     : "tried again");
	tool_reply_free(&reply);
	return EXIT_DONE;
}

/* The one daemon whose feed of this name has halted. */
static int halted_find(struct tool *tool, const char *feed, enum tool_daemon *ret_daemon)
{
	struct health health;
	int found = 0;

	health_ask(tool, &health);
	for (int daemon = 0; daemon < DAEMON_COUNT; daemon++) {
		const Avvik__V1__StatusFound *status = health_of(&health, daemon);
		for (size_t i = 0; status && i < status->n_feeds; i++) {
			if (!status->feeds[i]->halted || strcmp(status->feeds[i]->name, feed) != 0)
				continue;
			*ret_daemon = (enum tool_daemon)daemon;
			found++;
		}
	}
	health_free(&health);
	if (found == 1)
		return AV_OK;
	tool_fail(0,
		found ? "%s has halted at more than one daemon: give --daemon"
		      : "%s has halted nowhere: `avvik status` shows the feeds; give --daemon to act all the "
			"same",
		feed);
	return AV_NOT_FOUND;
}

static int feed_resolve(struct tool *tool, int argc, char **argv)
{
	const char *feed = NULL, *reason = "", *daemon_name = NULL;
	bool restart = false, accept_head = false, go_on = false;
	const struct tool_option words[] = {{"restart", OPTION_FLAG, &restart},
		{"accept-head", OPTION_FLAG, &accept_head}, {"go-on", OPTION_FLAG, &go_on},
		{"reason", OPTION_TEXT, &reason}, {"daemon", OPTION_TEXT, &daemon_name}};
	Avvik__V1__ResolveFeed order = AVVIK__V1__RESOLVE_FEED__INIT;
	Avvik__V1__Reply *reply = NULL;
	enum tool_daemon daemon;
	int code;

	if (tool_options(tool, argc, argv, words, AV_COUNT(words), &feed, 1) < 0)
		return EXIT_USAGE;
	if (!feed || restart + accept_head + go_on != 1)
		return tool_usage("quarantine");
	if (!*reason)
		return tool_fail(EXIT_USAGE, "--reason is missing: say why; it is kept in the journal");
	order.feed = (char *)(uintptr_t)feed;
	order.action = restart	     ? AVVIK__V1__FEED_ACTION__FEED_ACTION_RESTART
		       : accept_head ? AVVIK__V1__FEED_ACTION__FEED_ACTION_ACCEPT_HEAD
				     : AVVIK__V1__FEED_ACTION__FEED_ACTION_GO_ON;
	order.reason = (char *)(uintptr_t)reason;
	if ((daemon_name ? ask_daemon(daemon_name, &daemon) : halted_find(tool, feed, &daemon)) != AV_OK)
		return EXIT_REFUSED;
	if (!ask(tool, daemon, AVVIK__V1__COMMAND__BODY_RESOLVE_FEED, &order.base, &reply, &code))
		return code;
	if (tool->json)
		tool_print_json(tool, &reply->base);
	else
		printf("%s: the feed of %s %s\n", daemon_names[daemon], feed,
			restart	      ? "is read again from the start; what is known already is passed over"
			: accept_head ? "goes on from the producer's present head"
				      : "goes on after the event that halted it");
	tool_reply_free(&reply);
	return EXIT_DONE;
}

int command_quarantine(struct tool *tool, int argc, char **argv)
{
	if (argc == 1 || (argc == 2 && strcmp(argv[1], "list") == 0))
		return tool_settings(tool) ? quarantine_list(tool) : EXIT_USAGE;
	if (strcmp(argv[1], "retry") == 0 || strcmp(argv[1], "drop") == 0)
		return event_resolve(tool, argc - 1, argv + 1);
	if (strcmp(argv[1], "feed") == 0)
		return feed_resolve(tool, argc - 1, argv + 1);
	return tool_usage("quarantine");
}
