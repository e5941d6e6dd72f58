/* instance.h - making an instance: state folder, settings, keys, principals; and its principals file later
 * on. */
#ifndef AVVIK_INSTANCE_H
#define AVVIK_INSTANCE_H

#include "avvik/v1/settings.pb-c.h"
#include "tool.h"

struct instance_options {
	const char *folder; /* made when it does not exist; must hold no avvik.yaml */
	const char *name;   /* of the instance */
	const char
		*templates; /* folder of mail templates; NULL: beside the programs or in /usr/share/avvik */
	int64_t stepped_at_ms; /* development: the stepped clock begins here; 0: the real clock */
};
/* Told on failure. AV_EXISTS, AV_IO, AV_INVALID. */
int instance_make(struct tool *tool, const struct instance_options *options);

/* A key pair as <keys>/<name>.curve and .curve.pub. AV_EXISTS. The public key is copied out. */
int instance_key_new(struct tool *tool, const char *keys_folder, const char *name, char ret_public[41]);

/* The principals file of the tool's instance, read into the arena (NULL: told), and written back whole (a new
 * file that takes its place, so that a daemon never reads half). */
Avvik__V1__Principals *principals_read(struct tool *tool);
int principals_write(struct tool *tool, const char *path, const Avvik__V1__Principals *principals);
const char *principals_path(struct tool *tool);

#endif
