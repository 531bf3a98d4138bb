// The screens by their name in the address. A new screen is one file and a line here.
import type { ComponentType } from "preact";
import * as adviser from "./adviser.tsx";
import * as compare from "./compare.tsx";
import * as course from "./course.tsx";
import * as courses from "./courses.tsx";
import * as operation from "./operation.tsx";
import * as rows from "./rows.tsx";
import * as student from "./student.tsx";
import * as students from "./students.tsx";
import * as unseen from "./unseen.tsx";

export interface ScreenModule {
  name: string;
  title: (id: string) => string;
  Screen: ComponentType<{ id: string }>;
}

export const SCREENS: ScreenModule[] = [courses, course, students, student, adviser, compare, operation, rows, unseen];
export const MENU = [courses, student, students, adviser, compare, operation] as ScreenModule[];
