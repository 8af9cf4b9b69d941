import { describe, expect, it } from 'vitest';
import { columnsOf } from '../../src/stack/schema-files.ts';

describe('the columns of a schema', () => {
  it('are those of its models and views, by their names in the database, without relations', () => {
    const schema = `
enum Kind {
  one
}

/// A model.
model Parent {
  id       String  @id(map: "parents_pkey")
  /// Its kind.
  ownKind  Kind?   @map("own_kind")
  children Child[]

  @@map("parents")
}

view Child {
  id     Int    @unique
  parent Parent @relation(fields: [id], references: [id], map: "fkey")
}
`;
    expect(columnsOf(schema)).toEqual(['parents.id', 'parents.own_kind', 'Child.id']);
  });
});
