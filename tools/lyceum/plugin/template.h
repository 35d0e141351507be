/* The files from which `lyceum plugin new` makes a plugin: what is in template/, as the build found
 * it. @name@, @Name@ and @NAME@ stand for the plugin's name. */
#ifndef LYC_TOOLS_PLUGIN_TEMPLATE_H
#define LYC_TOOLS_PLUGIN_TEMPLATE_H

struct template_file {
	/* "records/test_name.c": `name` stands for the plugin's there, the folder for its kind. */
	const char *path;
	const char *text;
};

/* Ended by one without a path. */
extern const struct template_file template_files[];

#endif
