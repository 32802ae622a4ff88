/* See model.h. */
#include "analyze/cnc/model.h"

#include "analyze/cnc/detector.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>

_Static_assert(CNC_INPUTS < UINT8_MAX, "a term numbers measures in a byte");

static bool is_named(const char *text, size_t bytes, const char *name)
{
	return strlen(name) == bytes && strncmp(text, name, bytes) == 0;
}

static int input_number(const char *text, size_t bytes)
{
	for (int i = 0; cnc_feature_names[i]; i++)
		if (is_named(text, bytes, cnc_feature_names[i]))
			return i;
	for (int d = 0; d < CNC_JUDGES && bytes && text[bytes - 1] == '!'; d++)
		if (is_named(text, bytes - 1, cnc_detectors[d]->name))
			return CNC_FEATURES + d;
	return -1;
}

static int term_read(struct cnc_model *model, const char *name, const json_t *weight, struct err *err)
{
	const char *star = strchr(name, '*');
	int first = input_number(name, star ? (size_t)(star - name) : strlen(name));
	int second = star ? input_number(star + 1, strlen(star + 1)) : CNC_INPUTS;
	if (first < 0 || second < 0 || !json_is_number(weight))
		return err_set(err, -EINVAL, "\"weights\": '%s' is no measure of this version, or no number", name);
	if (model->count == CNC_TERMS_MAX)
		return err_set(err, -EINVAL, "\"weights\": more than %d", CNC_TERMS_MAX);
	model->terms[model->count++] =
		(struct cnc_term){(uint8_t)first, (uint8_t)second, (float)json_number_value(weight)};
	return 0;
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
		if (result == 0)
			result = term_read(&model, name, weight, err);
	}
	model.offset = (float)json_number_value(offset);
	json_decref(root);
	if (result == 0)
		*ret_model = model;
	return result;
}

static float input_value(const struct cnc_case *item, size_t input)
{
	return input < CNC_FEATURES ? item->features[input] : item->scores[input - CNC_FEATURES];
}

float cnc_term_adds(const struct cnc_term *term, const struct cnc_case *item)
{
	float value = input_value(item, term->first);
	return term->weight * (term->second < CNC_INPUTS ? value * input_value(item, term->second) : value);
}

static int input_write(char *text, size_t bytes, size_t input)
{
	if (input < CNC_FEATURES)
		return snprintf(text, bytes, "%s", cnc_feature_names[input]);
	return snprintf(text, bytes, "%s!", cnc_detectors[input - CNC_FEATURES]->name);
}

const char *cnc_term_name(const struct cnc_term *term, char text[CNC_TERM_BYTES])
{
	int at = input_write(text, CNC_TERM_BYTES, term->first);
	if (term->second < CNC_INPUTS) {
		text[at++] = '*';
		input_write(text + at, CNC_TERM_BYTES - (size_t)at, term->second);
	}
	return text;
}

float cnc_model_score(const struct cnc_model *model, const struct cnc_case *item)
{
	float sum = model->offset;
	for (uint32_t i = 0; i < model->count; i++)
		sum += cnc_term_adds(&model->terms[i], item);
	return 1 / (1 + expf(-sum));
}
