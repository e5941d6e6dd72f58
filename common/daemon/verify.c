/* verify.c - --verify: a copy of the store, which may be in use, held against its own journal */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/daemon_inner.h"
#include "daemon/folder.h"

static void tell(void *context, bool good, const char *line)
{
	const struct av_service *service = context;
	printf("%-8s %s: %s\n", good ? "holds" : "FAULT", service->name, line);
}

static int public_key(struct av_daemon *d, unsigned char ret_key[AV_SIGN_PUBLIC_SIZE])
{
	const char *path = av_key_path(d->settings, AV_FILE_SIGN_PUBLIC, d->service->name, d->arena);
	if (path && av_sign_public_load(path, ret_key) == AV_OK)
		return AV_OK;
	memcpy(ret_key, d->sign_secret + AV_SIGN_SECRET_SIZE - AV_SIGN_PUBLIC_SIZE, AV_SIGN_PUBLIC_SIZE);
	return AV_OK;
}

static int verify_copy(struct av_daemon *d, const char *copy_path, const char *scratch_path)
{
	unsigned char key[AV_SIGN_PUBLIC_SIZE];
	struct av_store *copy = NULL;
	const char *why = "";
	struct av_store_options options = {
		.path = copy_path,
		.map_bytes = (size_t)d->settings->limits->map_megabytes * 1024 * 1024,
		.tables = d->service->tables,
		.table_count = d->service->table_count,
		.daemon = d->service->name,
		.instance = d->settings->instance,
		.read_only = true,
	};
	int status = public_key(d, key);
	if (status == AV_OK)
		status = av_store_open(&options, &d->random, &copy, &why);
	if (status < 0) {
		printf("FAULT    %s: %s\n", d->service->name, why);
		return status;
	}
	status = av_verify(d->service, copy, scratch_path, key, tell, (void *)(uintptr_t)d->service);
	av_store_close(&copy);
	return status;
}

int verify_run(const struct av_service *service, const char *settings_path)
{
	struct av_daemon *d = calloc(1, sizeof *d);
	if (!d)
		return EXIT_SOFTWARE;
	int code = daemon_load(d, service, settings_path), status = AV_OK;
	if (!code)
		code = daemon_store_open(d, true);
	const char *folder = code ? NULL
				  : av_arena_printf(d->arena, "%s/%s/verify-%ld", d->settings->state,
					    service->name, (long)getpid());
	const char *copy = folder ? av_arena_printf(d->arena, "%s-copy", folder) : NULL;
	if (!code && copy) {
		status = av_store_copy(d->store, copy);
		if (status < 0)
			fprintf(stderr,
				"avvik-%s: %s: the store cannot be copied (%s): is there room on the disk?\n",
				service->name, copy, av_status_text(status));
		else
			status = verify_copy(d, copy, folder);
		folder_remove(copy);
		folder_remove(folder);
	}
	daemon_free(d);
	return code ? code : status < 0 ? 1 : 0;
}
