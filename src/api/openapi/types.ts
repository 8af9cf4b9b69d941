import type { Json } from '../../machine/json.ts';

/** JSON Schema 2020-12, as far as the API's description uses it. */
export type Schema = Readonly<{
  $ref?: string;
  title?: string;
  description?: string;
  type?: string | readonly string[];
  format?: string;
  enum?: readonly Json[];
  const?: Json;
  default?: Json;
  examples?: readonly Json[];
  pattern?: string;
  minLength?: number;
  maxLength?: number;
  minimum?: number;
  maximum?: number;
  minItems?: number;
  items?: Schema;
  minProperties?: number;
  properties?: Readonly<Record<string, Schema>>;
  required?: readonly string[];
  additionalProperties?: boolean | Schema;
  anyOf?: readonly Schema[];
  oneOf?: readonly Schema[];
  allOf?: readonly Schema[];
  if?: Schema;
  then?: Schema;
}>;

export type Reference = Readonly<{ $ref: string }>;

export type Parameter = Readonly<{
  name: string;
  in: 'path' | 'query' | 'header';
  required: boolean;
  description?: string;
  schema: Schema;
}>;

export type MediaType = Readonly<{ schema: Schema; example?: Json }>;
export type Content = Readonly<Record<string, MediaType>>;

/** `required`: never missing from an answer that lists it. */
export type Header = Readonly<{ description: string; required?: boolean; schema: Schema }>;

export type Response = Readonly<{
  description: string;
  headers?: Readonly<Record<string, Reference>>;
  content?: Content;
}>;

export type SecurityRequirement = Readonly<Record<string, readonly string[]>>;

export type Operation = Readonly<{
  operationId: string;
  tags: readonly string[];
  summary: string;
  description?: string;
  security?: readonly SecurityRequirement[];
  parameters?: readonly (Parameter | Reference)[];
  requestBody?: Readonly<{ required: true; content: Content }>;
  responses: Readonly<Record<string, Response | Reference>>;
}>;

export type PathItem = Readonly<{ get?: Operation; post?: Operation }>;

export type OpenApiDocument = Readonly<{
  openapi: string;
  info: Readonly<{ title: string; version: string; summary: string; description: string }>;
  jsonSchemaDialect: string;
  servers: readonly Readonly<{ url: string; description: string }>[];
  security: readonly SecurityRequirement[];
  tags: readonly Readonly<{ name: string; description: string }>[];
  paths: Readonly<Record<string, PathItem>>;
  components: Readonly<{
    schemas: Readonly<Record<string, Schema>>;
    parameters: Readonly<Record<string, Parameter>>;
    responses: Readonly<Record<string, Response>>;
    headers: Readonly<Record<string, Header>>;
    securitySchemes: Readonly<Record<string, Readonly<Record<string, string>>>>;
  }>;
}>;
