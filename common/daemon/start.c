/* start.c - opens a daemon in order, and closes it upside down
 *
 * At start everything that is wrong is fatal, said in one line each with the remedy, before any socket is
 * open. The order: settings, keys, clock, store, key store, recovery, the service's own start, principals,
 * sockets, feeds, writer; then READY.
 */
#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "avvik/v1/common.pb-c.h"
#include "daemon/daemon_inner.h"
#include "daemon/folder.h"

#define ASK_ARENA_BYTES ((size_t)64 * 1024 * 1024)
#define TURN_ARENA_LEAST ((size_t)64 * 1024 * 1024)
#define QUEUE_MESSAGES 2048 /* per peer: more than libavvik has under way */
#define STREAM_MESSAGES 4096
#define PUBLISH_BYTES ((size_t)8 * 1024 * 1024)
#define FAULT(name) AVVIK__V1__FAULT_CODE__FAULT_CODE_##name

static int say(const struct av_daemon *d, int code, const char *what, const char *remedy)
{
	fprintf(stderr, "avvik-%s: %s: %s\n", d->service->name, what, remedy);
	return code;
}

static int say_faults(const struct av_daemon *d, const struct av_faults *faults, int status)
{
	for (const struct av_fault *fault = faults->first; fault; fault = fault->next)
		say(d, 0, fault->path, fault->text);
	if (!faults->first)
		say(d, 0, "settings", av_status_text(status));
	return EXIT_CONFIG;
}

/* --- settings and keys --- */

static void key_fault(struct av_faults *faults, const char *path, int status, const char *remedy)
{
	av_fault(faults, FAULT(REQUIRED), path ? path : "keys", "%s: %s", av_status_text(status), remedy);
}

static void check_service(struct av_daemon *d, struct av_faults *faults)
{
	const Avvik__V1__Endpoints *own = av_settings_endpoints(d->settings, d->service->name);
	char path[80];
	snprintf(path, sizeof path, "%s.command", d->service->name);
	if (!own || own->command[0] == '\0')
		av_fault(faults, FAULT(REQUIRED), path,
			"give this daemon's command socket an address, as tcp://127.0.0.1:7101");
	for (size_t i = 0; i < follow_count(d->service); i++) {
		const char *name = follow_name(d->service, i);
		const Avvik__V1__Endpoints *producer = av_settings_endpoints(d->settings, name);
		snprintf(path, sizeof path, "%s.feed", name);
		if (!producer || producer->feed[0] == '\0')
			av_fault(faults, FAULT(REQUIRED), path, "say where the feed of %s is: %s reads it",
				name, d->service->name);
	}
	if (d->service->check_settings)
		(void)d->service->check_settings(d->settings, faults); /* its faults are counted, ignoring */
}

static void load_keys(struct av_daemon *d, struct av_faults *faults)
{
	const char *name = d->service->name;
	const char *path = av_key_path(d->settings, AV_FILE_CURVE, name, d->arena);
	int status = path ? av_keypair_load(path, &d->curve) : AV_MEMORY;
	if (status < 0)
		key_fault(faults, path, status, "make the key pair with `avvik keys`, mode 0600");
	path = av_key_path(d->settings, AV_FILE_SIGN, name, d->arena);
	status = path ? av_key_file_load(path, d->sign_secret, sizeof d->sign_secret) : AV_MEMORY;
	if (status < 0)
		key_fault(faults, path, status, "make the signing key with `avvik keys`, mode 0600");
	path = av_key_path(d->settings, AV_FILE_SIGN_PUBLIC, "workflow", d->arena);
	status = path ? av_sign_public_load(path, d->grant_public) : AV_MEMORY;
	d->has_grant_public = status == AV_OK;
	if (status < 0 && status != AV_NOT_FOUND)
		key_fault(faults, path, status, "copy workflow's public signing key there again");
	for (size_t i = 0; i < follow_count(d->service); i++) {
		char key[AV_CURVE_TEXT];
		path = av_key_path(d->settings, AV_FILE_CURVE_PUBLIC, follow_name(d->service, i), d->arena);
		status = path ? av_curve_public_load(path, key) : AV_MEMORY;
		if (status < 0)
			key_fault(faults, path, status,
				"copy the producer's public key there: one line of 40 characters");
	}
}

static int open_clock(struct av_daemon *d)
{
	if (!av_settings_stepped(d->settings)) {
		d->clock = av_clock_real();
		return 0;
	}
	const char *path = av_state_path(d->settings, NULL, AV_FILE_CLOCK, d->arena);
	int status = path ? av_clock_open_stepped(path, &d->clock) : AV_MEMORY;
	if (status < 0)
		return say(d, EXIT_CONFIG, path ? path : "clock",
			"the stepped clock cannot be read: set it with `avvik clock`, or say clock: real");
	return 0;
}

int daemon_load(struct av_daemon *d, const struct av_service *service, const char *settings_path)
{
	struct av_faults faults;
	Avvik__V1__Settings *settings = NULL;
	enum av_log_level level = AV_LOG_INFO;
	d->service = service;
	d->settings_path = settings_path;
	d->arena = av_arena_create(0);
	d->ask_arena = av_arena_create(ASK_ARENA_BYTES);
	d->random = av_random_system();
	d->turn_random = av_random_system();
	d->keys_random = av_random_system();
	if (!d->arena || !d->ask_arena || av_crypto_start() < 0)
		return say(d, EXIT_SOFTWARE, "start", "out of memory, or libsodium does not start");
	av_faults_init(&faults, d->arena);
	int status = av_settings_load(settings_path, d->arena, &faults, &settings);
	if (status < 0)
		return say_faults(d, &faults, status);
	d->settings = settings;
	(void)av_log_level_parse(settings->log_level, &level); /* checked before, ignoring */
	av_log_open(service->name, level);
	check_service(d, &faults);
	load_keys(d, &faults);
	if (faults.count > 0)
		return say_faults(d, &faults, AV_INVALID);
	return open_clock(d);
}

/* --- store --- */

static int make_folder(const char *path)
{
	return mkdir(path, 0700) == 0 || errno == EEXIST ? AV_OK : AV_IO;
}

int daemon_store_open(struct av_daemon *d, bool read_only)
{
	const char *why = "",
		   *folder = av_arena_printf(d->arena, "%s/%s", d->settings->state, d->service->name);
	struct av_store_options options = {
		.path = av_state_path(d->settings, d->service->name, AV_FOLDER_DATA, d->arena),
		.map_bytes = (size_t)d->settings->limits->map_megabytes * 1024 * 1024,
		.tables = d->service->tables,
		.table_count = d->service->table_count,
		.daemon = d->service->name,
		.instance = d->settings->instance,
		.stepped_clock = av_clock_is_stepped(&d->clock),
		.production = d->settings->production,
		.read_only = read_only,
		.now_ms = av_clock_now_ms(&d->clock),
	};
	if (!folder || !options.path)
		return say(d, EXIT_SOFTWARE, "store", "out of memory");
	if (!read_only && (make_folder(d->settings->state) < 0 || make_folder(folder) < 0))
		return say(d, EXIT_CONFIG, folder,
			"the folder cannot be made: is the state folder there, and ours to write?");
	/* At every start: the one that made the folder may have been cut off. */
	if (!read_only && folder_sync(d->settings->state) < 0)
		return say(d, EXIT_TEMPFAIL, d->settings->state, "the folder cannot be synced to disk");
	int status = av_store_open(&options, &d->random, &d->store, &why);
	if (status < 0)
		return say(d, status == AV_IO || status == AV_FULL ? EXIT_TEMPFAIL : EXIT_CONFIG,
			options.path, why);
	return 0;
}

static int open_keys(struct av_daemon *d)
{
	unsigned char master[AV_KEY_SIZE];
	const char *why = "", *path = av_key_path(d->settings, AV_FILE_MASTER, NULL, d->arena);
	const char *folder = av_state_path(d->settings, d->service->name, AV_FOLDER_KEYS, d->arena);
	int status = path && folder ? av_key_file_load(path, master, sizeof master) : AV_MEMORY;
	if (status < 0)
		return say(d, EXIT_CONFIG, path ? path : "master key",
			"the master key cannot be read: it is 64 hex digits, mode 0600; without it no "
			"content can be opened");
	status = av_keystore_open(folder, master, &d->keys_random, &d->keys, &why);
	av_wipe(master, sizeof master);
	if (status < 0)
		return say(
			d, status == AV_IO || status == AV_FULL ? EXIT_TEMPFAIL : EXIT_CONFIG, folder, why);
	return 0;
}

static int open_turn(struct av_daemon *d)
{
	struct av_txn *txn = NULL;
	const struct av_service *service = d->service;
	struct av_turn_options options = {
		.service = service,
		.store = d->store,
		.keys = d->keys,
		.random = &d->turn_random,
		.instance = d->settings->instance,
		.settings = d->settings,
		.sign_secret = d->sign_secret,
		.grant_public = d->has_grant_public ? d->grant_public : NULL,
		.arena_bytes =
			AV_MAX((size_t)d->settings->limits->memory_megabytes * 1024 * 1024, TURN_ARENA_LEAST),
		.marks_path = av_state_path(d->settings, service->name, AV_FILE_MARKS, d->arena),
		.stepped = av_clock_is_stepped(&d->clock),
	};
	int status = av_turn_create(&options, &d->turn);
	if (status == AV_OK)
		status = av_turn_recover(d->turn, d->started_at_ms);
	if (status == AV_OK)
		status = av_txn_begin_read(d->store, &txn);
	if (status < 0)
		return say(d, status == AV_IO || status == AV_FULL ? EXIT_TEMPFAIL : EXIT_SOFTWARE,
			"recovery", av_status_text(status));
	d->next_due_ms = service->next_due ? service->next_due(txn) : 0;
	av_txn_abort(&txn);
	d->queue = av_queue_create((size_t)d->settings->limits->memory_megabytes * 1024 * 1024 / 2);
	if (service->cache_create)
		d->cache = service->cache_create();
	return d->queue && (d->cache || !service->cache_create)
		       ? 0
		       : say(d, EXIT_SOFTWARE, "start", "out of memory");
}

/* --- sockets --- */

static int64_t bus_now_ms(void *context)
{
	return av_daemon_now_ms(context);
}

static void on_refused(void *context, const char *key, const char *why)
{
	AV_UNUSED(context);
	av_log(AV_LOG_WARN, "a peer was refused", "key=%s why=%s", key[0] ? key : "-", why);
}

static bool may_see(void *context, const struct av_principal *principal, unsigned int number)
{
	AV_UNUSED(context); /* the events hold codes, ids and times only: whoever may read the feed may read
			       all of it */
	AV_UNUSED(number);
	return (principal->rights & AV_MAY_FEED) != 0;
}

static int open_parts(void *context, struct av_txn *txn, const Avvik__V1__Event *event,
	struct av_arena *arena, Avvik__V1__FeedItem *item)
{
	struct av_daemon *d = context;
	return d->service->open_parts(d->keys, txn, event, arena, item);
}

static bool on_subscribe(void *context, const struct av_principal *principal, struct av_bytes topic)
{
	struct av_daemon *d = context;
	return d->service->may_subscribe && d->service->may_subscribe(d, principal, topic);
}

static size_t frame_bytes(const struct av_daemon *d)
{
	size_t bytes = (size_t)d->settings->limits->frame_kilobytes * 1024;
	for (size_t i = 0; i < d->service->command_count; i++) {
		if (d->service->commands[i].flags & AV_LARGE)
			bytes = AV_MAX(bytes, PUBLISH_BYTES);
	}
	return bytes;
}

static int open_sockets(struct av_daemon *d, const char **ret_why, const char **ret_what)
{
	const Avvik__V1__Endpoints *own = av_settings_endpoints(d->settings, d->service->name);
	struct av_socket_options commands = {
		.kind = AV_SOCKET_ROUTER,
		.endpoint = own->command,
		.frame_bytes = frame_bytes(d),
		.queue_messages = QUEUE_MESSAGES,
		.on_message = on_command,
		.context = d,
	};
	struct av_socket_options stream = {
		.kind = AV_SOCKET_XPUB,
		.endpoint = own->stream,
		.frame_bytes = frame_bytes(d),
		.queue_messages = STREAM_MESSAGES,
		.on_subscribe = on_subscribe,
		.context = d,
	};
	struct av_feed_server_options feed = {
		.bus = d->bus,
		.store = d->store,
		.endpoint = own->feed,
		.may_see = may_see,
		.open_parts = d->service->open_parts ? open_parts : NULL,
		.context = d,
	};
	*ret_what = own->command;
	int status = av_socket_open(d->bus, &commands, &d->commands, ret_why);
	if (status == AV_OK && own->feed[0]) {
		*ret_what = own->feed;
		status = av_feed_server_open(&feed, &d->feed_server, ret_why);
	}
	if (status == AV_OK && own->stream[0] && d->service->may_subscribe) {
		*ret_what = own->stream;
		status = av_socket_open(d->bus, &stream, &d->stream, ret_why);
	}
	return status;
}

static int say_descriptors(const struct av_daemon *d)
{
	char what[160];
	snprintf(what, sizeof what, "%u files may be open, which is too few: %u are needed at least",
		d->descriptors, descriptors_least());
	return say(d, EXIT_CONFIG, what, "raise LimitNOFILE, or `ulimit -n`");
}

static int open_bus(struct av_daemon *d)
{
	const char *why = "", *what = "bus";
	struct av_faults faults;
	d->connections = descriptors_connections(d->settings->limits->connections, &d->descriptors);
	if (d->connections == 0)
		return say_descriptors(d);
	struct av_bus_options options = {
		.connections = d->connections,
		.keys = &d->curve,
		.now_ms = bus_now_ms,
		.on_refused = on_refused,
		.context = d,
	};
	av_faults_init(&faults, d->arena);
	if (principals_open(d, &faults) < 0)
		return say_faults(d, &faults, AV_INVALID);
	int status = av_bus_create(&d->loop, &options, &d->bus, &why);
	av_wipe(&d->curve.secret_key, sizeof d->curve.secret_key); /* the bus has its own copy */
	if (status == AV_OK) {
		av_bus_set_principals(d->bus, d->principals);
		status = open_sockets(d, &why, &what);
	}
	if (status == AV_OK) {
		what = "feeds";
		status = follow_open(d, &why);
	}
	return status < 0 ? say(d, EXIT_CONFIG, what, why) : 0;
}

static void wake(void *context)
{
	uv_async_send(context);
}

/* A handle that cannot be made, or a service that cannot begin. */
static int open_loop(struct av_daemon *d)
{
	const char *why = "";
	if (loop_open(d, &why) < 0 || signals_open(d) < 0 || watch_open(d) < 0)
		return say(d, EXIT_SOFTWARE, "loop", why);
	int status = d->service->start ? d->service->start(d) : AV_OK;
	return status < 0 ? say(d, EXIT_SOFTWARE, "start of the service", av_status_text(status)) : 0;
}

static int run(struct av_daemon *d)
{
	int code = daemon_store_open(d, false);
	d->started_at_ms = av_clock_now_ms(&d->clock);
	if (!code)
		code = open_keys(d);
	if (!code)
		code = open_turn(d);
	if (!code)
		code = open_loop(d);
	if (!code)
		code = open_bus(d);
	if (!code && av_writer_start(d->turn, wake, &d->wake, &d->writer) < 0)
		code = say(d, EXIT_SOFTWARE, "writer", "the thread cannot be started: out of memory?");
	if (code)
		return code;
	d->idle_since_ms = av_clock_monotonic_ms();
	loop_kick(d);
	loop_plan(d);
	av_log(AV_LOG_INFO, "ready", "instance=%s version=%s", d->settings->instance, AVVIK_VERSION);
	notify_state("READY=1\nSTATUS=ready");
	uv_run(&d->loop, UV_RUN_DEFAULT);
	av_log(AV_LOG_INFO, "stopped", "turns=%llu", (unsigned long long)d->counters.turns);
	return 0;
}

/* --- the end --- */

static void close_handle(uv_handle_t *handle, void *context)
{
	AV_UNUSED(context);
	if (!uv_is_closing(handle))
		uv_close(handle, NULL);
}

static void close_loop(struct av_daemon *d)
{
	d->closing = true;
	if (d->service->stop && d->loop_open)
		d->service->stop(d);
	av_writer_stop(&d->writer);
	follow_close(d);
	av_feed_server_close(&d->feed_server);
	av_socket_close(&d->stream);
	av_socket_close(&d->commands);
	av_bus_destroy(&d->bus);
	if (!d->loop_open)
		return;
	uv_check_stop(&d->check);
	uv_run(&d->loop, UV_RUN_NOWAIT); /* the bus's and the service's own handles close */
	uv_walk(&d->loop, close_handle, NULL);
	uv_run(&d->loop, UV_RUN_DEFAULT);
	uv_loop_close(&d->loop);
	d->loop_open = false;
}

void daemon_free(struct av_daemon *d)
{
	close_loop(d);
	for (size_t i = 0; i < AV_COUNT(d->slots); i++) {
		free(d->slots[i].batch.items);
		free(d->slots[i].commands);
	}
	while (d->inner_first) {
		struct inner *inner = d->inner_first;
		d->inner_first = inner->next;
		free(inner);
	}
	av_queue_destroy(&d->queue);
	av_turn_destroy(&d->turn);
	if (d->cache && d->service->cache_destroy)
		d->service->cache_destroy(d->cache);
	av_keystore_close(&d->keys);
	av_store_close(&d->store);
	av_principals_unref(&d->principals);
	av_principals_unref(&d->principals_told);
	av_principals_unref(&d->change_table);
	av_arena_destroy(&d->change_arena);
	av_clock_close(&d->clock);
	av_wipe(d->sign_secret, sizeof d->sign_secret);
	av_arena_destroy(&d->ask_arena);
	av_arena_destroy(&d->arena);
	free(d);
}

int daemon_run(const struct av_service *service, const char *settings_path)
{
	/* One heap for all threads, and large blocks go back at once: an idle daemon stays small. */
	mallopt(M_ARENA_MAX, 1);
	mallopt(M_MMAP_THRESHOLD, 256 * 1024);
	mallopt(M_TRIM_THRESHOLD, 1024 * 1024);
	struct av_daemon *d = calloc(1, sizeof *d);
	if (!d)
		return EXIT_SOFTWARE;
	int code = daemon_load(d, service, settings_path);
	if (!code && d->settings)
		code = run(d);
	daemon_free(d);
	return code;
}
