import { ROLES, type Role } from '../../src/machine/states.ts';

/** The same model for every role. */
export const MODELS_BY_ROLE = Object.fromEntries(ROLES.map((role) => [role, 'gpt-4'])) as Record<Role, string>;
