import { AppError } from '../errors.ts';
import { ROLES, type Role } from '../machine/states.ts';
import { routeModel } from '../models.ts';
import type { BuildSettings } from './ports.ts';

/** The models a build may call: its own, else those of the roles that a model drives, with the fallbacks. */
function modelNames(model: string | null, externalRoles: readonly Role[], models: BuildSettings['models']): string[] {
  if (model !== null) return [model];
  const driven = ROLES.filter((role) => !externalRoles.includes(role));
  return driven.length === 0 ? [] : [...new Set([...driven.map((role) => models.byRole[role]), ...models.fallbacks])];
}

/**
 * Checks that every model of a build can be reached before the build starts.
 * @returns true when all of them are the simulated model
 * @throws AppError `model_unavailable`, naming every model that is not configured
 */
export function requireModels(
  model: string | null,
  externalRoles: readonly Role[],
  models: BuildSettings['models'],
): boolean {
  const faults: { at: string; fault: string }[] = [];
  const providers = modelNames(model, externalRoles, models).flatMap((name) => {
    try {
      return [routeModel(name, models.providers).provider];
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      faults.push({ at: 'model', fault: error.message });
      return [];
    }
  });
  if (faults.length > 0) {
    throw new AppError('model_unavailable', faults.map(({ fault }) => fault).join(' '), { faults });
  }
  return providers.length > 0 && providers.every((provider) => provider === 'simulated');
}
