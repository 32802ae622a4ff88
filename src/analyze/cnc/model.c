/* See model.h. */
#include "analyze/cnc/model.h"

#include "analyze/cnc/detector.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>

/* "regular": a feature; "regular!": what the detector of the name said. */
static int input_number(const char *name)
{
	size_t length = strlen(name);
	for (int i = 0; cnc_feature_names[i]; i++)
		if (strcmp(name, cnc_feature_names[i]) == 0)
			return i;
	for (int d = 0; d < CNC_JUDGES; d++)
		if (strlen(cnc_detectors[d]->name) + 1 == length && name[length - 1] == '!' &&
		    strncmp(name, cnc_detectors[d]->name, length - 1) == 0)
			return CNC_FEATURES + d;
	return -1;
}

int cnc_model_parse(const char *text, size_t bytes, struct cnc_model *ret_model, struct err *err)
{
	struct cnc_model model = {0};
	json_error_t fault;
	json_t *root = json_loadb(text, bytes, 0, &fault), *weight;
	if (!root)
		return err_set(err, -EINVAL, "line %d: %s", fault.line, fault.text);
	json_t *offset = json_object_get(root, "offset"), *weights = json_object_get(root, "weights");
	int result = 0;
	if (!json_is_number(offset) || !json_is_object(weights))
		result = err_set(err, -EINVAL, "\"offset\", a number, and \"weights\", an object, were expected");
	const char *name;
	json_object_foreach(weights, name, weight)
	{
		int input = input_number(name);
		if (result == 0 && (input < 0 || !json_is_number(weight)))
			result = err_set(err, -EINVAL, "\"weights\": '%s' is no measure of this version, or no number",
					 name);
		if (result == 0)
			model.weights[input] = (float)json_number_value(weight);
	}
	model.offset = (float)json_number_value(offset);
	json_decref(root);
	if (result == 0)
		*ret_model = model;
	return result;
}

float cnc_input(const struct cnc_case *item, size_t input)
{
	return input < CNC_FEATURES ? item->features[input] : item->scores[input - CNC_FEATURES];
}

float cnc_model_score(const struct cnc_model *model, const struct cnc_case *item)
{
	float sum = model->offset;
	for (size_t i = 0; i < CNC_INPUTS; i++)
		sum += model->weights[i] * cnc_input(item, i);
	return 1 / (1 + expf(-sum));
}
