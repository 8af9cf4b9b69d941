export { build } from './build-workflow.ts';
