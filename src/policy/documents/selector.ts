import { z } from 'zod';
import { badLabelValue, field, isLabelValue, labelKey, labels, oneOf } from './names.ts';
import { invalid } from './refusal.ts';

const requirement = z
  .strictObject(
    {
      key: labelKey,
      operator: oneOf(['In', 'NotIn', 'Exists', 'DoesNotExist'], 'an operator'),
      values: z.array(z.string(field('text', '"1", in quotes')), field('a list', '[web, api]')).optional(),
    },
    field('a mapping', '{key: app, operator: In, values: [web]}'),
  )
  .superRefine(({ key, operator, values = [] }, context) => {
    const wantsValues = operator === 'In' || operator === 'NotIn';
    if (wantsValues && values.length === 0) {
      context.addIssue(invalid(`${operator} needs a value`, 'give at least one', ['values']));
    }
    if (!wantsValues && values.length > 0) {
      context.addIssue(invalid(`${operator} takes no values`, 'leave them out, or use In or NotIn', ['values']));
    }
    for (const [i, value] of values.entries()) {
      if (!isLabelValue(key, value)) {
        context.addIssue({ code: 'custom', message: badLabelValue(value), path: ['values', i] });
      }
    }
  });

/** Kubernetes' LabelSelector. */
export const labelSelector = z.strictObject(
  {
    matchLabels: labels.optional(),
    matchExpressions: z.array(requirement, field('a list', '[{key: app, operator: Exists}]')).optional(),
  },
  field('a label selector', '{matchLabels: {app: web}}, or {} for all'),
);
